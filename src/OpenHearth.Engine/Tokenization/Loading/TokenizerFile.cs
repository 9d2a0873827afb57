using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>Tells the kinds of tokenizer files apart by their content.</summary>
internal static class TokenizerFile
{
    private const long MaxLength = 256 << 20;

    /// <summary>Builds the tokenizer of a file.</summary>
    /// <exception cref="ModelFormatException">The file is damaged or of an unknown kind.</exception>
    public static Tokenizer Load(string path)
    {
        Span<byte> magic = stackalloc byte[4];
        using (var stream = File.OpenRead(path))
            magic = magic[..stream.ReadAtLeast(magic, 4, throwOnEndOfStream: false)];
        if (magic.SequenceEqual("GGUF"u8) || magic.SequenceEqual("FUGG"u8))
        {
            using var file = GgufFile.Open(path);
            return Tokenizer.FromGguf(file.Metadata);
        }
        var bytes = Read(path);
        try
        {
            if (RwkvVocabulary.Looks(bytes))
                return RwkvVocabulary.Load(bytes);
            if (SentencePieceFile.Looks(bytes))
                return SentencePieceFile.Load(bytes);
        }
        catch (ModelFormatException failure)
        {
            throw new ModelFormatException($"{path}: {failure.Message}", failure);
        }
        throw new ModelFormatException($"{path}: this is no tokenizer that is known (GGUF, tokenizer.json, SentencePiece model, RWKV vocabulary).");
    }

    /// <summary>The bytes of a file of a bearable size.</summary>
    /// <exception cref="ModelFormatException">It is larger.</exception>
    public static byte[] Read(string path)
    {
        var length = new FileInfo(path).Length;
        return length <= MaxLength
            ? File.ReadAllBytes(path)
            : throw new ModelFormatException($"{path}: {length} bytes are more than a tokenizer has (at most {MaxLength}).");
    }
}
