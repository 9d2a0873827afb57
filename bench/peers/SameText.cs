using OpenHearth.Engine;

namespace OpenHearth.Peers;

/// <summary>Whether both engines read the same model out of a file: their greedy tokens after the same ids.</summary>
internal static class SameText
{
    private const int Prompt = 24;
    private const int Tokens = 16;

    /// <summary>Compares both on each file and prints a line for it.</summary>
    /// <returns>True where all are the same.</returns>
    public static bool Compare(IEnumerable<string> files, string scratch)
    {
        var all = true;
        foreach (var file in files)
        {
            string result;
            try
            {
                result = Compare(file, scratch);
            }
            catch (InvalidOperationException failure)
            {
                result = failure.Message;
            }
            all &= result == "same";
            Console.WriteLine($"{Path.GetFileName(file)}: {result}");
        }
        return all;
    }

    private static string Compare(string file, string scratch)
    {
        using var model = Model.Load(file, new ModelOptions { Exact = true });
        var prompt = Enumerable.Range(1, Prompt).Select(i => i * 7919 % model.Info.VocabularySize).ToArray();
        // A peer of its own each, since llama.cpp ends its process over some files.
        using var peer = PeerProcess.Start(scratch);
        peer.Load(Path.GetFullPath(file), 256, 2);
        var theirs = peer.Greedy(prompt, Tokens);
        using var session = model.CreateSession();
        var logits = session.Step(prompt);
        for (var i = 0; i < Tokens; i++)
        {
            var best = logits.IndexOf(Max(logits));
            if (best != theirs[i])
                return $"token {i} is {best} here and {theirs[i]} there, {logits[best] - logits[theirs[i]]} apart";
            logits = session.Step([best]);
        }
        return "same";
    }

    private static float Max(ReadOnlySpan<float> values)
    {
        var max = float.NegativeInfinity;
        foreach (var value in values)
            max = Math.Max(max, value);
        return max;
    }
}
