using Iced.Intel;
using OpenHearth.Kernels.MatMul.Gemv;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>Puts the fifth bits of 32 columns, a double word of each row, onto codes of four.</summary>
/// <param name="w">The kernel.</param>
internal sealed class RowLaneFifthBits(RowLaneWriter w)
{
    private readonly AssemblerRegisterZMM _fifth = w.Builder.ConstantBytes("fifth bit", 16);
    private readonly AssemblerRegisterZMM _free = w.Builder.Vector("fifth bits of four columns");

    // Byte c of a double word takes the eight bits that have bit c in the place of the fifth.
    private readonly AssemblerRegisterZMM _places = w.Builder.ConstantBytes("places of fifth bits", i => (i % 8 / 4 * 32 + i % 4 - 4) & 63);

    /// <summary>The bits, bit i that of column i.</summary>
    public AssemblerRegisterZMM Bits { get; } = w.Builder.Vector("fifth bits");

    /// <summary>Adds them.</summary>
    public void AddTo(RowLaneNibbles codes)
    {
        for (var k = 0; k < 8; k++)
        {
            w.Asm.vprord(_free, Bits, (byte)(4 * k));
            w.Asm.vpmultishiftqb(_free, _places, _free);
            w.Asm.vpternlogd(codes.Codes(k), _free, _fifth, GemvWriter.OrAnd);
        }
    }
}
