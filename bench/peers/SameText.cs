using System.Globalization;
using OpenHearth.Engine;
using OpenHearth.Engine.Embeddings;
using OpenHearth.Engine.Files;

namespace OpenHearth.Peers;

/// <summary>
/// Whether both engines read the same model out of a file: their greedy tokens after the same ids, and how far their logits are apart; of encoders their vectors.
/// llama.cpp rounds what it multiplies with BF16 and quantized matrices, so that a near tie goes either way there; the same model in F32 tells.
/// </summary>
internal static class SameText
{
    // Longer than the original length of the small long-RoPE model: llama.cpp chooses factors by the size of its context, this engine by the tokens there are.
    private const int Prompt = 48;
    private const int Tokens = 16;
    private const int Context = 256; // its least
    private const double Parallel = 1e-6; // its GELU, looked up in F16, makes 4e-8

    /// <summary>Compares both on each file and prints a line for it.</summary>
    /// <returns>True where all tokens are the same.</returns>
    public static bool Compare(IEnumerable<string> files, string scratch)
    {
        var all = true;
        foreach (var file in files)
        {
            var (same, text) = (false, "");
            try
            {
                (same, text) = Compare(file, scratch);
            }
            catch (Exception failure) when (SpeaksForItself(failure))
            {
                text = failure.Message;
            }
            all &= same;
            Console.WriteLine($"{Path.GetFileName(file)}: {text}");
        }
        return all;
    }

    /// <summary>True of exceptions whose message says all.</summary>
    public static bool SpeaksForItself(Exception failure) =>
        failure is ArgumentException or InvalidOperationException or NotSupportedException or ModelFormatException or IOException or UnauthorizedAccessException;

    private static (bool Same, string Text) Compare(string file, string scratch)
    {
        using var model = Model.Load(file, new ModelOptions { Exact = true });
        // A peer of its own each, since llama.cpp ends its process over some files.
        using var peer = PeerProcess.Start(scratch);
        peer.Load(Path.GetFullPath(file), Context, 2, "F32");
        int[] ids = [.. Enumerable.Range(1, Prompt).Select(i => i * 7919 % model.Info.VocabularySize)];
        if (!model.Info.GivesLogits)
        {
            // Where a file doesn't say how tokens become one vector, llama.cpp takes the last one's.
            using var embedder = new Embedder(model, model.Info.Pooling ?? Pooling.Last);
            // node-llama-cpp puts a model's first and last token around ids that lack them.
            if (model.Tokenizer.Encode("") is [var first, .., var last])
                ids = [first, .. ids, last];
            var (one, other) = (embedder.EmbedIds([ids])[0], peer.Vector(ids));
            var length = Math.Sqrt(other.Sum(value => (double)value * value));
            var cosine = one.Zip(other, (a, b) => a * b / length).Sum();
            var parallel = 1 - cosine < Parallel;
            return (parallel, string.Create(CultureInfo.InvariantCulture, $"{(parallel ? "same" : "another vector")}, 1 - cosine is {1 - cosine:g2}"));
        }
        using var session = model.CreateSession();
        var (worst, differences) = (0.0, new List<string>());
        for (var i = 0; i < Tokens; i++)
        {
            var ours = session.Step(ids).ToArray();
            var theirs = peer.Logits(ids);
            var deviation = Deviation(ours);
            var apart = Deviation([.. ours.Zip(theirs, (a, b) => a - b)]) / deviation;
            worst = Math.Max(worst, apart);
            var (best, other) = (Array.IndexOf(ours, ours.Max()), Array.IndexOf(theirs, theirs.Max()));
            if (best != other)
                differences.Add(string.Create(CultureInfo.InvariantCulture, $"token {i} is {best} here and {other} there, {(ours[best] - ours[other]) / deviation:g2} apart where logits differ by {apart:g2}"));
            ids = [best];
        }
        return (differences.Count == 0, differences.Count > 0
            ? $"{string.Join("; ", differences)} (in standard deviations of the logits)"
            : string.Create(CultureInfo.InvariantCulture, $"same, logits differ by {worst:g2} standard deviations"));
    }

    private static double Deviation(float[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }
}
