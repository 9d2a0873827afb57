using System.Runtime.InteropServices;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Packing;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// Rows of at most 16 bits as bf16, rounded to nearest, ties to even; numbers below the smallest normal one become zero. Needs AVX-512 BF16,
/// for which .NET has no class, so the loops are generated.
/// </summary>
internal static unsafe class Bf16Rows
{
    private const int StepColumns = 32;
    private const int General = 5; // kernels that are of no format

    private static readonly KernelTable Kernels = new(General + (int)(TensorType.Q2_0 + 1), number =>
        number == 0 ? WriteFromF32() : number < General ? WriteFromCodes(number <= 2 ? 16 : 32, number % 2 == 0) : WriteFromBlocks((TensorType)(number - General)));

    /// <summary>What a kernel reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Arguments
    {
        public void* Source;
        public ushort* Target;
        public long Steps; // of 32 columns, or a format's own
        public float* Scales; // [groups]
        public float* Mins; // [groups]
    }

    /// <summary>Bytes that <see cref="Decode"/> needs for intermediate use.</summary>
    public static int ScratchBytes(Matrix weights) => weights.Codes is null ? weights.Columns * sizeof(float) : RowFloats.ScratchBytes(weights);

    /// <summary>Decodes part of a row of weights.</summary>
    /// <param name="weights">The matrix.</param>
    /// <param name="row">From 0.</param>
    /// <param name="first">First column, at the beginning of a block.</param>
    /// <param name="columns">Values, whole blocks.</param>
    /// <param name="target">[columns]</param>
    /// <param name="scratch">[<see cref="ScratchBytes"/>]</param>
    public static void Decode(Matrix weights, int row, int first, int columns, ushort* target, byte* scratch)
    {
        var source = weights.Row(row) + TensorTypes.RowBytes(weights.Type, first);
        if (weights.Codes is { } format)
        {
            float* scales = (float*)scratch, mins = scales + columns / format.Group;
            if (format.Bf16 is { } blocks)
            {
                blocks.Prepare(source, columns, scales, mins);
                var straight = new Arguments { Source = source, Target = target, Steps = columns / blocks.StepColumns, Scales = scales, Mins = mins };
                Kernels[General + (int)weights.Type].Run(&straight);
                return;
            }
            var codes = (sbyte*)(mins + columns / format.Group);
            format.Unpack(source, columns, codes, scales, mins);
            var arguments = new Arguments { Source = codes, Target = target, Steps = columns / StepColumns, Scales = scales, Mins = mins };
            Kernels[1 + (format.Group == 16 ? 0 : 2) + (format.HasMins ? 1 : 0)].Run(&arguments);
        }
        else if (weights.Type == TensorType.BF16)
        {
            Buffer.MemoryCopy(source, target, columns * sizeof(ushort), columns * sizeof(ushort));
        }
        else
        {
            HalfNumbers.Decode((ushort*)source, columns, (float*)scratch);
            Round((float*)scratch, columns, target);
        }
    }

    /// <summary>Rounds a row.</summary>
    /// <param name="values">[columns]</param>
    /// <param name="columns">Values in the row.</param>
    /// <param name="target">[columns]</param>
    public static void Round(float* values, int columns, ushort* target)
    {
        var whole = columns / StepColumns;
        var arguments = new Arguments { Source = values, Target = target, Steps = whole };
        if (whole > 0)
            Kernels[0].Run(&arguments);
        var rest = columns % StepColumns;
        if (rest == 0)
            return;
        var padded = stackalloc float[StepColumns];
        var rounded = stackalloc ushort[StepColumns];
        for (var i = 0; i < rest; i++)
            padded[i] = values[whole * StepColumns + i];
        arguments = new Arguments { Source = padded, Target = rounded, Steps = 1 };
        Kernels[0].Run(&arguments);
        for (var i = 0; i < rest; i++)
            target[whole * StepColumns + i] = rounded[i];
    }

    private static GeneratedKernel WriteFromBlocks(TensorType type)
    {
        var format = RowCodesRegistry.Find(type)!;
        return Bf16RowWriter.Write(type.ToString(), format.Group, format.Bf16!);
    }

    private static GeneratedKernel WriteFromF32()
    {
        var b = new KernelBuilder();
        var a = b.Asm;
        var (low, high) = (b.Vector("columns 0 to 15"), b.Vector("columns 16 to 31"));
        a.mov(rsi, __[rdi]);
        a.mov(rdx, __[rdi + 8]);
        a.mov(rcx, __[rdi + 16]);
        var loop = a.CreateLabel();
        a.Label(ref loop);
        a.vmovups(low, __zmmword_ptr[rsi]);
        a.vmovups(high, __zmmword_ptr[rsi + 64]);
        a.vcvtne2ps2bf16(low, high, low);
        a.vmovdqu64(__zmmword_ptr[rdx], low);
        a.add(rsi, 128);
        a.add(rdx, 64);
        a.dec(rcx);
        a.jne(loop);
        return b.Build("F32 to bf16");
    }

    // Two steps of 16 columns, each with its own scale where groups have 16.
    private static GeneratedKernel WriteFromCodes(int group, bool hasMins)
    {
        var b = new KernelBuilder();
        var a = b.Asm;
        var halves = b.Vectors("columns from 16 · ", 2);
        var scale = b.Vector("scale");
        a.mov(rsi, __[rdi]);
        a.mov(rdx, __[rdi + 8]);
        a.mov(rcx, __[rdi + 16]);
        a.mov(r8, __[rdi + 24]);
        a.mov(r9, __[rdi + 32]);
        var loop = a.CreateLabel();
        a.Label(ref loop);
        for (var half = 0; half < 2; half++)
        {
            var place = group == 16 ? 4 * half : 0;
            a.vpmovsxbd(halves[half], __xmmword_ptr[rsi + 16 * half]);
            a.vcvtdq2ps(halves[half], halves[half]);
            if (half == 0 || group == 16)
                a.vbroadcastss(scale, __dword_ptr[r8 + place]);
            // Product and sum are rounded one by one, as when a row is decoded to F32.
            a.vmulps(halves[half], halves[half], scale);
            if (hasMins)
                a.vaddps(halves[half], halves[half], __dword_bcst[r9 + place]);
        }
        a.vcvtne2ps2bf16(halves[0], halves[1], halves[0]);
        a.vmovdqu64(__zmmword_ptr[rdx], halves[0]);
        a.add(rsi, 32);
        a.add(rdx, 64);
        a.add(r8, 4 * 32 / group);
        if (hasMins)
            a.add(r9, 4 * 32 / group);
        a.dec(rcx);
        a.jne(loop);
        return b.Build($"codes to bf16, groups of {group}{(hasMins ? " with minimums" : "")}");
    }
}
