using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -127 to 113: the steps themselves.</summary>
internal sealed unsafe class IQ4_NLCodes() : RowCodes(TensorType.IQ4_NL, 32, hasMins: false, new NibbleGemv(offset: 128, Code), rowLanes: new NibbleRowLanes(offset: 128, Code))
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        Halves(row, 18, columns / 32, scales);
        var steps = Vector128.Create(IQ4_NL.Steps);
        for (var i = 0; i < columns; i += 32, row += 18)
            StoreSteps(steps, row + 2, codes + i);
    }

    /// <summary>32 codes of a table of 16, from the nibbles of 16 bytes; as in IQ4_XS and MXFP4 too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StoreSteps(Vector128<sbyte> steps, byte* nibbles, sbyte* codes)
    {
        var bytes = Vector128.Load(nibbles);
        Vector128.Shuffle(steps, (bytes & Vector128.Create((byte)15)).AsSByte()).Store(codes);
        Vector128.Shuffle(steps, (bytes >> 4).AsSByte()).Store(codes + 16);
    }

    private static int Code(int nibble) => IQ4_NL.Steps[nibble] + 128;
}
