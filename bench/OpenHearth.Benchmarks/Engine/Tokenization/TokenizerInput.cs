using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Benchmarks.Engine.Tokenization;

/// <summary>The vocabulary and the text that tokenizers are measured with.</summary>
internal static class TokenizerInput
{
    /// <summary>The built-in model.</summary>
    public static string Model => Path.Combine(Checkout(), "models", "SmolLM2-135M-Instruct.Q4_1.gguf");

    /// <summary>WikiText-2's test split, which lies beside a checkout.</summary>
    public static string Text => Path.Combine(Checkout(), "..", "shared", "data", "wikitext2", "wiki.test.raw");

    /// <summary>The tokenizer of the built-in model.</summary>
    public static Tokenizer Open() => Tokenizer.FromFile(Model);

    private static string Checkout()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "OpenHearth.slnx")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException($"No OpenHearth.slnx above {AppContext.BaseDirectory}.");
        return folder.FullName;
    }
}
