using BenchmarkDotNet.Attributes;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Benchmarks.Engine.Tokenization;

/// <summary>WikiText-2 with SmolLM2's vocabulary: all of it in one call, line by line, back to text; and opening the file.</summary>
[MemoryDiagnoser]
public class TokenizerBenchmarks
{
    private readonly List<int> _ids = [];
    private Tokenizer _tokenizer = null!;
    private string _text = "";
    private string[] _lines = [];
    private int[] _encoded = [];

    [GlobalSetup]
    public void Open()
    {
        _tokenizer = TokenizerInput.Open();
        _text = File.ReadAllText(TokenizerInput.Text);
        _lines = _text.Split('\n');
        _encoded = _tokenizer.Encode(_text);
    }

    [Benchmark]
    public int EncodeAll()
    {
        _ids.Clear();
        _tokenizer.Encode(_text, _ids, new EncodeOptions());
        return _ids.Count;
    }

    [Benchmark]
    public int EncodeLines()
    {
        _ids.Clear();
        foreach (var line in _lines)
            _tokenizer.Encode(line, _ids, new EncodeOptions());
        return _ids.Count;
    }

    [Benchmark]
    public int Decode() => _tokenizer.Decode(_encoded).Length;

    [Benchmark]
    public Tokenizer Load() => TokenizerInput.Open();
}
