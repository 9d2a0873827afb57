using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Attention;

/// <summary>Consecutive tokens of one sequence within a step.</summary>
/// <param name="Blocks">The sequence's cache blocks of 64 tokens, at least for <paramref name="Past"/> + <paramref name="Count"/> tokens; those that no token of the run sees may be empty.</param>
/// <param name="FirstRow">Row of the run's first token among the activations of the step.</param>
/// <param name="Count">Tokens of the run.</param>
/// <param name="Past">Tokens of the sequence that came before.</param>
/// <param name="Waiting">The sequence's keys of the block that is not full yet, where <see cref="CacheFormats.SealsKeys"/>; otherwise empty.</param>
public readonly record struct AttentionRun(MemoryRegion[] Blocks, int FirstRow, int Count, int Past, MemoryRegion Waiting = default);
