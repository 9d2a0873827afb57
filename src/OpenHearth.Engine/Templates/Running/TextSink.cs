using System.Text;

namespace OpenHearth.Engine.Templates.Running;

/// <summary>Where text is written; every character is charged to the budget before it is kept.</summary>
internal sealed class TextSink(Budget budget)
{
    private readonly StringBuilder _text = new();
    private int _charged;

    public Budget Budget => budget;

    public int Length => _text.Length;

    public void Append(string text)
    {
        Charge(text.Length);
        _text.Append(text);
    }

    public void Append(ReadOnlySpan<char> text)
    {
        Charge(text.Length);
        _text.Append(text);
    }

    public void Append(char unit)
    {
        Charge(1);
        _text.Append(unit);
    }

    public void Append(char unit, int count)
    {
        Charge(count);
        _text.Append(unit, count);
    }

    /// <summary>Takes the text; the sink isn't used afterwards.</summary>
    public string Take()
    {
        if (_text.Length == 0)
            return "";
        budget.TakeText(_text.Length);
        return _text.ToString();
    }

    private void Charge(int count)
    {
        budget.Take(2L * count);
        if ((_charged += count) > budget.MaxOutput)
            throw Errors.Limit($"more than {budget.MaxOutput} characters of text");
    }
}
