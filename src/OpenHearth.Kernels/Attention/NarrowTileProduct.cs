using System.Runtime.InteropServices;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// <see cref="TileProduct"/> with a right side in half precision or signed bytes, as it lies in the cache: converting costs one
/// or two instructions beside the multiply-adds of up to eight rows. Compiled code would keep part of the sums in memory, so
/// the loop is generated. The bits are those of converting first and multiplying with vectors of 512 bits.
/// </summary>
internal static unsafe class NarrowTileProduct
{
    /// <summary>Rows that one pass over the right side serves.</summary>
    public const int MostRows = 8;

    private const int Lanes = 16;

    private static readonly int[] Widths = [1, 2, 4]; // vectors of columns

    private static readonly KernelTable Halves = Table(bytes: false), Bytes = Table(bytes: true);

    /// <summary>What a kernel reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Arguments
    {
        public float* A;
        public long StrideA; // bytes
        public byte* B;
        public long StrideB; // bytes
        public float* C;
        public long StrideC; // bytes
        public long Depth;
        public byte* Next; // what is wanted next
    }

    /// <summary>C += A · B with B in half precision.</summary>
    /// <param name="a">[rows, depth], rows <paramref name="strideA"/> apart</param>
    /// <param name="strideA">Floats from row to row.</param>
    /// <param name="b">[depth, columns], rows <paramref name="strideB"/> apart</param>
    /// <param name="strideB">Numbers from row to row.</param>
    /// <param name="c">[rows, columns], rows <paramref name="strideC"/> apart</param>
    /// <param name="strideC">Floats from row to row.</param>
    /// <param name="rows">Any number.</param>
    /// <param name="depth">Any number.</param>
    /// <param name="columns">A multiple of 16.</param>
    /// <param name="next">What is read next, in the same shape, and better fetched meanwhile; need not exist</param>
    public static void MultiplyAdd(float* a, int strideA, ushort* b, int strideB, float* c, int strideC, int rows, int depth, int columns, byte* next) =>
        MultiplyAdd(Halves, sizeof(ushort), a, strideA, (byte*)b, strideB, c, strideC, rows, depth, columns, next);

    /// <summary>C += A · B with B in bytes.</summary>
    /// <inheritdoc cref="MultiplyAdd(float*, int, ushort*, int, float*, int, int, int, int, byte*)" path="/param"/>
    public static void MultiplyAdd(float* a, int strideA, sbyte* b, int strideB, float* c, int strideC, int rows, int depth, int columns, byte* next) =>
        MultiplyAdd(Bytes, sizeof(sbyte), a, strideA, (byte*)b, strideB, c, strideC, rows, depth, columns, next);

    private static void MultiplyAdd(KernelTable kernels, int size, float* a, int strideA, byte* b, int strideB, float* c, int strideC, int rows, int depth, int columns, byte* next)
    {
        if (depth == 0)
            return;
        var arguments = new Arguments
        {
            StrideA = strideA * sizeof(float),
            StrideB = strideB * size,
            StrideC = strideC * sizeof(float),
            Depth = depth,
        };
        for (var r = 0; r < rows; r += MostRows)
        {
            var together = Math.Min(MostRows, rows - r);
            var widest = together > MostRows / 2 ? 1 : 2;
            arguments.A = a + (long)r * strideA;
            for (var (j, width) = (0, widest); j < columns; j += Widths[width] * Lanes)
            {
                while (j + Widths[width] * Lanes > columns)
                    width--;
                arguments.B = b + j * size;
                arguments.C = c + (long)r * strideC + j;
                arguments.Next = next + (long)j * depth * size; // evenly over the passes, in the order of memory
                kernels[(together - 1) * Widths.Length + width].Run(&arguments);
            }
        }
    }

    private static KernelTable Table(bool bytes) =>
        new(MostRows * Widths.Length, number => Write(number / Widths.Length + 1, Widths[number % Widths.Length], bytes));

    private static GeneratedKernel Write(int rows, int vectors, bool bytes)
    {
        var vectorBytes = bytes ? Lanes : 2 * Lanes; // of a vector of the right side
        var builder = new KernelBuilder();
        var asm = builder.Asm;
        var (strideA, strideA3, b, strideB, c, strideC, depth, next) = (r8, r9, rdx, rcx, r11, rbx, rax, rbp);
        AssemblerRegister64[] bases = [rsi, r10]; // of rows 0 and 4
        asm.push(rbx);
        asm.push(rbp);
        asm.mov(rsi, __[rdi]);
        asm.mov(strideA, __[rdi + 8]);
        asm.mov(b, __[rdi + 16]);
        asm.mov(strideB, __[rdi + 24]);
        asm.mov(c, __[rdi + 32]);
        asm.mov(strideC, __[rdi + 40]);
        asm.mov(depth, __[rdi + 48]);
        asm.mov(next, __[rdi + 56]);
        asm.lea(strideA3, __[strideA + strideA * 2]);
        asm.lea(r10, __[rsi + strideA * 4]);
        var sums = builder.Vectors("sum", rows * vectors);
        var right = builder.Vectors("right", vectors);
        var left = builder.Vector("left");
        WalkRows(vmov: (place, sum) => asm.vmovups(sum, place));
        var loop = asm.CreateLabel();
        asm.Label(ref loop);
        for (var v = 0; v < vectors; v++)
        {
            if (bytes)
            {
                asm.vpmovsxbd(right[v], __xmmword_ptr[b + vectorBytes * v]);
                asm.vcvtdq2ps(right[v], right[v]);
            }
            else
            {
                asm.vcvtph2ps(right[v], __ymmword_ptr[b + vectorBytes * v]);
            }
        }
        for (var line = 0; line < vectors * vectorBytes; line += 64)
            asm.prefetcht0(__byte_ptr[next + line]);
        for (var r = 0; r < rows; r++)
        {
            asm.vbroadcastss(left, __dword_ptr[KernelBuilder.Row(r, bases, strideA, strideA3)]);
            for (var v = 0; v < vectors; v++)
                asm.vfmadd231ps(sums[r * vectors + v], right[v], left);
        }
        foreach (var row in bases)
            asm.add(row, sizeof(float));
        asm.add(b, strideB);
        asm.add(next, vectorBytes * vectors);
        asm.dec(depth);
        asm.jne(loop);
        asm.mov(c, __[rdi + 32]);
        WalkRows(vmov: (place, sum) => asm.vmovups(place, sum));
        asm.pop(rbp);
        asm.pop(rbx);
        return builder.Build($"attention {rows} rows × {vectors * Lanes} columns of {(bytes ? "bytes" : "F16")}");

        void WalkRows(Action<AssemblerMemoryOperand, AssemblerRegisterZMM> vmov)
        {
            for (var r = 0; r < rows; r++)
            {
                for (var v = 0; v < vectors; v++)
                    vmov(__zmmword_ptr[c + 64 * v], sums[r * vectors + v]);
                asm.add(c, strideC);
            }
        }
    }
}
