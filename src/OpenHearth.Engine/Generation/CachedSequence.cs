using System.Runtime.InteropServices;

namespace OpenHearth.Engine.Generation;

/// <summary>
/// A sequence together with the ids it holds, so that a prompt that begins as the last one did is computed from where
/// the two part. Not thread-safe.
/// </summary>
internal sealed class CachedSequence(ISequence sequence) : IDisposable
{
    /// <summary>Tokens a step while a prompt is read: enough for full speed, few enough to be cancelled soon.</summary>
    private const int ChunkLength = 512;

    // May be behind the sequence where a step failed half-way; never ahead of it.
    private readonly List<int> _ids = [];

    public int Count => _ids.Count;

    public int VocabularySize => sequence.VocabularySize;

    public int ContextLength => sequence.ContextLength;

    public void Dispose() => sequence.Dispose();

    /// <summary>Keeps what the held ids and the prompt have in common and forgets the rest; returns how many are left to read.</summary>
    public int Rewind(ReadOnlySpan<int> prompt)
    {
        // The last token is always read again: its logits are wanted.
        var common = Math.Min(CollectionsMarshal.AsSpan(_ids).CommonPrefixLength(prompt), prompt.Length - 1);
        // Whatever a failed step left behind goes too.
        if (sequence.Length != common)
            sequence.Truncate(common);
        _ids.RemoveRange(common, _ids.Count - common);
        return prompt.Length - common;
    }

    /// <summary>Reads what <see cref="Rewind"/> left of the prompt; gives the logits of the last token, or none if cancelled.</summary>
    public ReadOnlySpan<float> Read(scoped ReadOnlySpan<int> prompt, CancellationToken cancellation)
    {
        ReadOnlySpan<float> logits = [];
        while (_ids.Count < prompt.Length)
        {
            if (cancellation.IsCancellationRequested)
                return [];
            logits = Step(prompt.Slice(_ids.Count, Math.Min(ChunkLength, prompt.Length - _ids.Count)));
        }
        return logits;
    }

    /// <summary>Half of what a context holds beyond the tokens that stay, from the end of some ids, with those that stay before it.</summary>
    public static int[] Shifted(ReadOnlySpan<int> ids, int kept, int contextLength) => [.. ids[..kept], .. ids[^((contextLength - kept) / 2)..]];

    /// <summary>Forgets the older half of all but the first tokens and reads what is left anew, since it stood elsewhere.</summary>
    /// <returns>How many were forgotten; what is left is read unless cancelled.</returns>
    public int Shift(int kept, CancellationToken cancellation)
    {
        var ids = Shifted(CollectionsMarshal.AsSpan(_ids), kept, ContextLength);
        var forgotten = _ids.Count - ids.Length;
        Rewind(ids);
        Read(ids, cancellation);
        return forgotten;
    }

    /// <summary>Appends tokens; gives the logits of the last.</summary>
    public ReadOnlySpan<float> Step(scoped ReadOnlySpan<int> tokens)
    {
        var logits = sequence.Step(tokens);
        _ids.AddRange(tokens);
        return logits;
    }
}
