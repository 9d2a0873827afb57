namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>Rows of weights decoded into panels of F32 or bf16, see <see cref="FloatTiles"/>: 16 rows side by side, zeros for those that do not exist.</summary>
internal static unsafe class FloatPanels
{
    private const int MostRows = 128;

    // Parts of a thread: few enough to cost nothing, enough that threads end together.
    private const int PartsOfThread = 8;

    /// <summary>Bytes of a panel.</summary>
    public static int PanelBytes(int columns, bool bf16) => PanelLayout.Rows * FloatTiles.RowDwords(columns, bf16) * sizeof(int);

    /// <summary>Panels of so many rows.</summary>
    public static int Count(int rows) => (rows + PanelLayout.Rows - 1) / PanelLayout.Rows;

    /// <summary>Rows of a part: as many as stay in the second-level cache, if that leaves each thread some parts.</summary>
    /// <param name="targets">What is multiplied.</param>
    /// <param name="threads">Threads that share the parts.</param>
    /// <param name="cacheBytes">Bytes that panels may take.</param>
    /// <param name="bf16">Whether panels hold bf16.</param>
    public static int RowsPerPart(in Targets targets, int threads, int cacheBytes, bool bf16)
    {
        var rows = 0;
        for (var i = 0; i < targets.Count; i++)
            rows += targets[i].Weights.Rows;
        var cached = cacheBytes / (FloatTiles.RowDwords(targets[0].Weights.Columns, bf16) * sizeof(int));
        return Math.Clamp(Math.Min(cached, rows / (threads * PartsOfThread)) / 32 * 32, 32, MostRows);
    }

    /// <summary>Bytes that <see cref="Decode"/> needs, panels first.</summary>
    public static long Bytes(Matrix weights, int rows, bool bf16) =>
        (long)Count(rows) * PanelBytes(weights.Columns, bf16) + FloatTiles.ScratchBytes(weights.Columns, bf16)
        + (bf16 ? Bf16Rows.ScratchBytes(weights) : RowFloats.ScratchBytes(weights));

    /// <summary>Decodes rows.</summary>
    /// <param name="weights">The matrix.</param>
    /// <param name="first">First row.</param>
    /// <param name="end">The row behind the last one.</param>
    /// <param name="bf16">Whether panels hold bf16.</param>
    /// <param name="memory">[<see cref="Bytes"/>]; the panels are at its beginning</param>
    public static void Decode(Matrix weights, int first, int end, bool bf16, byte* memory)
    {
        var columns = weights.Columns;
        var panelBytes = PanelBytes(columns, bf16);
        var panels = Count(end - first);
        var rows = memory + (long)panels * panelBytes;
        var scratch = rows + FloatTiles.ScratchBytes(columns, bf16);
        for (var p = 0; p < panels; p++)
        {
            for (var r = 0; r < PanelLayout.Rows; r++)
            {
                var index = first + p * PanelLayout.Rows + r;
                var row = FloatTiles.Row(rows, r, columns, bf16);
                if (index >= end)
                    new Span<byte>(row, panelBytes / PanelLayout.Rows).Clear();
                else if (bf16)
                    Bf16Rows.Decode(weights, index, 0, columns, (ushort*)row, scratch);
                else
                    RowFloats.Decode(weights, index, (float*)row, scratch);
            }
            FloatTiles.Pack(rows, PanelLayout.Rows, columns, bf16, memory + (long)p * panelBytes);
        }
    }
}
