using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>How the tokens of a product are cut into tiles, and where their packed activations lie.</summary>
internal unsafe struct TokenTiles
{
    private const int Vector = 64; // vectors are stored whole, so each tile has that many bytes to spare

    private readonly int _tokens;
    private readonly int _columns;
    private readonly byte* _codes; // tile after tile, see PanelLayout
    private readonly byte* _sums16; // tile after tile, [columns / 16][tokens of the tile] F32
    private readonly byte* _sums32;

    public TokenTiles(int tokens, int columns, byte* memory)
    {
        _tokens = tokens;
        _columns = columns;
        Count = TilesOf(tokens);
        _codes = memory;
        _sums16 = memory + 2L * tokens * columns + Count * Vector;
        _sums32 = _sums16 + (long)tokens * columns / 4 + Count * Vector;
        Scales = (float*)(_sums32 + (long)tokens * columns / 8 + Count * Vector);
    }

    /// <summary>Number of tiles.</summary>
    public int Count { get; }

    /// <summary>Scale of each token. [tokens]</summary>
    public float* Scales { get; }

    /// <summary>Bytes needed for a product.</summary>
    public static long Bytes(int tokens, int columns) => tokens * (2L * columns + columns / 4 + columns / 8 + sizeof(float)) + 3L * Vector * TilesOf(tokens);

    /// <summary>Bytes that <see cref="Pack"/> needs for intermediate use.</summary>
    public static int ScratchBytes(int columns) => 16 * RowStride(columns) * sizeof(short);

    /// <summary>First token of a tile; tiles differ by at most one token.</summary>
    public readonly int First(int tile) => (int)((long)_tokens * tile / Count);

    /// <summary>Activations of a tile.</summary>
    public readonly byte* Codes(int tile) => _codes + 2L * First(tile) * _columns + tile * Vector;

    /// <summary>Sums of a tile's groups.</summary>
    public readonly float* Sums(int tile, int group) =>
        (float*)(group == 16 ? _sums16 + (long)First(tile) * (_columns / 4) + tile * Vector : _sums32 + (long)First(tile) * (_columns / 8) + tile * Vector);

    /// <summary>Rounds and packs the tokens of a tile.</summary>
    /// <param name="tile">From 0.</param>
    /// <param name="x">[tokens, columns], all tokens</param>
    /// <param name="sums">Whether sums of groups are wanted.</param>
    /// <param name="scratch">[<see cref="ScratchBytes"/>]</param>
    public readonly void Pack(int tile, float* x, bool sums, byte* scratch)
    {
        var first = First(tile);
        var tokens = First(tile + 1) - first;
        var rows = (short*)scratch;
        var stride = RowStride(_columns);
        for (var t = 0; t < tokens; t++)
        {
            var source = x + (long)(first + t) * _columns;
            Scales[first + t] = Activations.Scale(source, _columns, out var inverse);
            Activations.Round(source, _columns, inverse, rows + t * stride);
        }
        var target = Codes(tile);
        byte* sums16 = (byte*)Sums(tile, 16), sums32 = (byte*)Sums(tile, 32);
        var vectorBytes = tokens * sizeof(int);
        for (var i = 0; i < _columns; i += PanelLayout.StepColumns, target += 16 * vectorBytes)
        {
            Step(rows + i, stride, out var m);
            for (var k = 0; k < 16; k++)
                m[k].Store((int*)(target + k * vectorBytes));
            if (!sums)
                continue;
            var (a, b) = (Sum(ref m, 0), Sum(ref m, 4));
            Vector512.ConvertToSingle(a).Store((float*)sums16);
            Vector512.ConvertToSingle(b).Store((float*)(sums16 + vectorBytes));
            Vector512.ConvertToSingle(a + b).Store((float*)sums32);
            sums16 += 2 * vectorBytes;
            sums32 += vectorBytes;
        }
    }

    private static int TilesOf(int tokens) => (tokens + GemmKernel.MostTokens - 1) / GemmKernel.MostTokens;

    private static int RowStride(int columns) => columns + 32;

    // 32 activations of 16 tokens: their upper bytes in eights of four, then their lower ones, tokens side by side.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(short* rows, int stride, out Sixteen m)
    {
        var apart = Vector512.Create(
            (byte)1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63,
            0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62);
        Unsafe.SkipInit(out m);
        for (var t = 0; t < 16; t++)
        {
            var codes = Vector512.Load((ushort*)rows + (long)t * stride) ^ Vector512.Create((ushort)0x8000);
            m[t] = Avx512Vbmi.PermuteVar64x8(codes.AsByte(), apart).AsInt32();
        }
        Transpose16.InPlace(ref m);
    }

    // Sums of 16 activations, from four vectors of their upper bytes and four of the lower ones.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Sum(ref Sixteen m, int first)
    {
        var (upper, lower) = (Vector512<short>.Zero, Vector512<short>.Zero);
        for (var k = first; k < first + 4; k++)
        {
            upper += Avx512BW.MultiplyAddAdjacent(m[k].AsByte(), Vector512<sbyte>.One);
            lower += Avx512BW.MultiplyAddAdjacent(m[k + 8].AsByte(), Vector512<sbyte>.One);
        }
        var sum = Avx512BW.MultiplyAddAdjacent(upper, Vector512.Create((short)256)) + Avx512BW.MultiplyAddAdjacent(lower, Vector512<short>.One);
        return sum - Vector512.Create(16 * 32768);
    }
}
