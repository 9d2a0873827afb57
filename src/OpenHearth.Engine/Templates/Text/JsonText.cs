using System.Globalization;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Text;

/// <summary>Writes JSON as Python's <c>json.dumps</c> does.</summary>
internal sealed class JsonText(Rendering rendering, string? indent, string itemSeparator, string keySeparator, bool sortKeys, bool ensureAscii)
{
    private readonly TextSink _sink = new(rendering.Budget);

    public string Write(Value value)
    {
        Write(value, 1);
        return _sink.Take();
    }

    private void Write(Value value, int level)
    {
        rendering.Budget.Step();
        switch (value)
        {
            case StringValue text:
                WriteString(text.Text);
                break;
            case NoneValue:
                _sink.Append("null");
                break;
            case BooleanValue boolean:
                _sink.Append(boolean.IsTrue ? "true" : "false");
                break;
            case IntegerValue integer:
                integer.WriteRepr(_sink);
                break;
            case FloatValue real:
                _sink.Append(FloatText(real.Value));
                break;
            case ListValue list:
                WriteItems(list.Items, level);
                break;
            case TupleValue tuple:
                WriteItems(tuple.Items, level);
                break;
            case DictValue dict:
                WriteDict(dict, level);
                break;
            default:
                throw Errors.Type($"Object of type {value.TypeName} is not JSON serializable");
        }
    }

    private void WriteItems(Value[] items, int level)
    {
        if (items.Length == 0)
        {
            _sink.Append("[]");
            return;
        }
        _sink.Append('[');
        for (var i = 0; i < items.Length; i++)
        {
            Separate(i == 0, level);
            Write(items[i], level + 1);
        }
        NewLine(level - 1);
        _sink.Append(']');
    }

    private void WriteDict(DictValue dict, int level)
    {
        if (dict.Items.Count == 0)
        {
            _sink.Append("{}");
            return;
        }
        _sink.Append('{');
        var first = true;
        IEnumerable<KeyValuePair<Value, Value>> entries = dict.Items;
        if (sortKeys)
            entries = Sorting.Sort(rendering, [.. dict.Items], static entry => entry.Key, reverse: false);
        foreach (var (key, value) in entries)
        {
            Separate(first, level);
            first = false;
            WriteKey(key);
            _sink.Append(keySeparator);
            Write(value, level + 1);
        }
        NewLine(level - 1);
        _sink.Append('}');
    }

    private void WriteKey(Value key) => WriteString(key switch
    {
        StringValue text => text.Text,
        NoneValue => "null",
        BooleanValue boolean => boolean.IsTrue ? "true" : "false",
        IntegerValue integer => PythonNumber.Text(integer.Value),
        FloatValue real => FloatText(real.Value),
        _ => throw Errors.Type($"keys must be str, int, float, bool or None, not {key.TypeName}"),
    });

    private void Separate(bool first, int level)
    {
        if (!first)
            _sink.Append(itemSeparator);
        NewLine(level);
    }

    private void NewLine(int level)
    {
        if (indent is null)
            return;
        _sink.Append('\n');
        for (var i = 0; i < level; i++)
            _sink.Append(indent);
    }

    private static string FloatText(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsInfinity(value) ? value > 0 ? "Infinity" : "-Infinity" : PythonNumber.Text(value);

    private void WriteString(string text)
    {
        rendering.Budget.Scan(text.Length);
        _sink.Append('"');
        foreach (var unit in text)
        {
            switch (unit)
            {
                case '"': _sink.Append("\\\""); break;
                case '\\': _sink.Append("\\\\"); break;
                case '\n': _sink.Append("\\n"); break;
                case '\r': _sink.Append("\\r"); break;
                case '\t': _sink.Append("\\t"); break;
                case '\b': _sink.Append("\\b"); break;
                case '\f': _sink.Append("\\f"); break;
                default:
                    if (unit < ' ' || (ensureAscii && unit > '~'))
                        _sink.Append("\\u" + ((int)unit).ToString("x4", CultureInfo.InvariantCulture));
                    else
                        _sink.Append(unit);
                    break;
            }
        }
        _sink.Append('"');
    }
}
