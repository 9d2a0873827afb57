using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Generation;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Tests.Generation;

/// <summary>A model that says what a script says, with the built-in model's vocabulary, and counts what it is asked to read.</summary>
internal sealed class ScriptedSequence(Func<IReadOnlyList<int>, bool, int> next, int contextLength = 4096) : ISequence
{
    private static readonly Lazy<Tokenizer> BuiltIn = new(() =>
    {
        using var file = GgufFile.Open(Path.Combine(Fixtures.Checkout, "models", "SmolLM2-135M-Instruct.Q4_1.gguf"));
        return Tokenizer.FromGguf(file.Metadata);
    });

    private readonly float[] _logits = new float[Tokenizer.VocabularySize];
    private readonly List<int> _ids = [];
    private int _last;
    private bool _atPrompt = true;

    /// <summary>Chooses each token by the ids before it.</summary>
    public ScriptedSequence(Func<IReadOnlyList<int>, int> next, int contextLength = 4096) : this((ids, _) => next(ids), contextLength)
    {
    }

    public static Tokenizer Tokenizer => BuiltIn.Value;

    /// <summary>Number of tokens of each step.</summary>
    public List<int> Steps { get; } = [];

    public IReadOnlyList<int> Ids => _ids;

    /// <summary>Called before each step.</summary>
    public Action? OnStep { get; set; }

    public int Length => _ids.Count;

    public int ContextLength => contextLength;

    public int VocabularySize => _logits.Length;

    /// <summary>Answers every prompt with a text, then ends.</summary>
    public static ScriptedSequence Saying(string text, int contextLength = 4096) => Answering(_ => text, contextLength);

    /// <summary>Answers the text of a prompt.</summary>
    public static ScriptedSequence Answering(Func<string, string> answer, int contextLength = 4096)
    {
        var (prompt, script) = (0, (int[])[]);
        return new((ids, atPrompt) =>
        {
            if (atPrompt)
                (prompt, script) = (ids.Count, [.. Tokenizer.Encode(answer(Tokenizer.Decode([.. ids])), addSpecial: false, parseSpecial: true), End]);
            return script[ids.Count - prompt];
        }, contextLength);
    }

    public static int End { get; } = Tokenizer.FindToken("<|im_end|>")!.Value;

    public ReadOnlySpan<float> Step(scoped ReadOnlySpan<int> tokens)
    {
        OnStep?.Invoke();
        Assert.InRange(_ids.Count + tokens.Length, 1, contextLength);
        Steps.Add(tokens.Length);
        _ids.AddRange(tokens);
        _logits[_last] = 0;
        _logits[_last = next(_ids, _atPrompt || tokens.Length > 1)] = 100;
        _atPrompt = false;
        return _logits;
    }

    public bool IsDisposed { get; private set; }

    public void Dispose() => IsDisposed = true;

    public void Truncate(int length)
    {
        Assert.InRange(length, 0, _ids.Count);
        _ids.RemoveRange(length, _ids.Count - length);
        _atPrompt = true;
    }
}
