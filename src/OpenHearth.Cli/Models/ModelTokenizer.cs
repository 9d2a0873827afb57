using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Cli.Models;

/// <summary>A model's tokenizer without its weights.</summary>
internal static class ModelTokenizer
{
    private static readonly string[] FilesOfFolders = ["tokenizer.json", "tokenizer.model"];

    /// <summary>Opens the tokenizer of a GGUF file, of a safetensors folder, or one that stands alone.</summary>
    public static Tokenizer Open(string path) => Tokenizer.FromFile(IsPart(path) ? InFolder(Path.GetDirectoryName(path)!) : Directory.Exists(path) ? InFolder(path) : path);

    private static bool IsPart(string path) =>
        path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".safetensors.index.json", StringComparison.OrdinalIgnoreCase);

    private static string InFolder(string folder) => FilesOfFolders.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
        ?? throw Failure.NotFound($"{folder} holds no tokenizer ({string.Join(" or ", FilesOfFolders)}).");
}
