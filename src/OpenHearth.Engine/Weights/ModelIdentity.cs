using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace OpenHearth.Engine.Weights;

/// <summary>
/// Tells models apart without reading all of them: a hash of what the files say, of every tensor's name, type and shape, and
/// of some bytes of each.
/// </summary>
internal static class ModelIdentity
{
    private const int Samples = 4;
    private const int SampleBytes = 256;

    /// <summary>[32] The hash.</summary>
    /// <param name="source">The model.</param>
    /// <param name="how">How it is run, where that matters.</param>
    public static byte[] Of(ModelSource source, string how)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, how);
        foreach (var (key, value) in source.Metadata)
            Add(hash, $"{key}={value}");
        foreach (var name in source.TensorNames.Order(StringComparer.Ordinal))
        {
            var tensor = source.Find(name)!;
            Add(hash, $"{name} {tensor.Type} {string.Join(',', tensor.Shape)}");
            var length = (int)Math.Min(SampleBytes, tensor.Data.Length);
            for (var i = 0; i < Samples; i++)
                hash.AppendData(tensor.Data.Span((tensor.Data.Length - length) / (Samples - 1) * i, length));
        }
        return hash.GetHashAndReset();
    }

    // With its length, so that no two lists of texts are the same bytes.
    private static void Add(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
