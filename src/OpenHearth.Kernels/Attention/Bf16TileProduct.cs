using System.Runtime.InteropServices;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// <see cref="TileProduct"/> with both sides in bf16 and sums in F32: the right side as it lies in the cache, the left one rounded.
/// An instruction multiplies two neighbouring rows of the right side, whose numbers are put side by side as they are read. Needs
/// AVX-512 BF16, and takes subnormal numbers for zeros.
/// </summary>
internal static unsafe class Bf16TileProduct
{
    /// <summary>Rows that one pass over the right side serves.</summary>
    public const int MostRows = 8;

    private const int Lanes = 16;
    private const int MostDepth = 128; // of a pass, and even

    private static readonly int[] Widths = [1, 2, 4]; // vectors of columns

    private static readonly KernelTable Kernels = new(MostRows * Widths.Length, number => Write(number / Widths.Length + 1, Widths[number % Widths.Length]));

    /// <summary>What a kernel reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Arguments
    {
        public ushort* A; // [rows, MostDepth]
        public byte* B;
        public long StrideB; // bytes
        public float* C;
        public long StrideC; // bytes
        public long Pairs; // of rows of the right side
        public long Single; // 1 where a row is left over
        public byte* Next; // what is wanted next
    }

    /// <summary>C += A · B.</summary>
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
    public static void MultiplyAdd(float* a, int strideA, ushort* b, int strideB, float* c, int strideC, int rows, int depth, int columns, byte* next)
    {
        var left = stackalloc ushort[MostRows * MostDepth];
        for (var r = 0; r < rows; r += MostRows)
        {
            var together = Math.Min(MostRows, rows - r);
            for (var d = 0; d < depth; d += MostDepth)
            {
                var length = Math.Min(MostDepth, depth - d);
                for (var k = 0; k < together; k++)
                {
                    var row = left + (k * MostDepth);
                    BF16.FromSingles(a + ((long)(r + k) * strideA) + d, row, length);
                    if (length % 2 != 0)
                        row[length] = 0;
                }
                Multiply(left, b + ((long)d * strideB), strideB, c + ((long)r * strideC), strideC, together, length, columns, next + ((long)d * columns * sizeof(ushort)));
            }
        }
    }

    private static void Multiply(ushort* left, ushort* b, int strideB, float* c, int strideC, int rows, int depth, int columns, byte* next)
    {
        var arguments = new Arguments { A = left, StrideB = strideB * sizeof(ushort), StrideC = strideC * sizeof(float), Pairs = depth / 2, Single = depth % 2 };
        var width = rows > MostRows / 2 ? 1 : 2;
        for (var j = 0; j < columns; j += Widths[width] * Lanes)
        {
            while (j + Widths[width] * Lanes > columns)
                width--;
            arguments.B = (byte*)(b + j);
            arguments.C = c + j;
            arguments.Next = next + (long)j * depth * sizeof(ushort); // evenly over the passes, in the order of memory
            Kernels[(rows - 1) * Widths.Length + width].Run(&arguments);
        }
    }

    private static GeneratedKernel Write(int rows, int vectors)
    {
        var builder = new KernelBuilder();
        var asm = builder.Asm;
        var (a, b, strideB, c, strideC, count, next) = (rsi, rdx, rcx, r11, r8, rax, r9);
        asm.mov(a, __[rdi]);
        asm.mov(b, __[rdi + 8]);
        asm.mov(strideB, __[rdi + 16]);
        asm.mov(c, __[rdi + 24]);
        asm.mov(strideC, __[rdi + 32]);
        asm.mov(next, __[rdi + 56]);
        var sums = builder.Vectors("sum", rows * vectors);
        var right = builder.Vectors("right", vectors);
        var (first, second) = (builder.Vector("first row"), builder.Vector("second row"));
        // Numbers of the first row in the lower halves, of the second in the upper ones.
        var pairs = Enumerable.Range(0, Math.Min(vectors, 2)).Select(half => builder.ConstantWords($"pairs {half}", i => (i / 2) + (16 * half) + (i % 2 * 32))).ToArray();
        WalkRows(vmov: (place, sum) => asm.vmovups(sum, place));
        var (loop, single, done) = (asm.CreateLabel(), asm.CreateLabel(), asm.CreateLabel());
        asm.mov(count, __[rdi + 40]);
        asm.test(count, count);
        asm.je(single);
        asm.Label(ref loop);
        Multiply(pairOfRows: true);
        for (var line = 0; line < 4 * Lanes * vectors; line += 64)
            asm.prefetcht1(__byte_ptr[next + line]);
        asm.add(a, 2 * sizeof(ushort));
        asm.lea(b, __[b + strideB * 2]);
        asm.add(next, 4 * Lanes * vectors);
        asm.dec(count);
        asm.jne(loop);
        asm.Label(ref single);
        asm.cmp(__qword_ptr[rdi + 48], 0);
        asm.je(done);
        Multiply(pairOfRows: false);
        asm.Label(ref done);
        asm.mov(c, __[rdi + 24]);
        WalkRows(vmov: (place, sum) => asm.vmovups(place, sum));
        return builder.Build($"attention {rows} rows × {vectors * Lanes} columns of BF16");

        void Multiply(bool pairOfRows)
        {
            for (var v = 0; v < vectors; v += 2)
            {
                Load(first, b + 2 * Lanes * v);
                if (pairOfRows)
                    Load(second, b + strideB + 2 * Lanes * v);
                else
                    asm.vpxord(second, second, second);
                for (var half = 0; half < pairs.Length; half++)
                {
                    asm.vmovdqa64(right[v + half], pairs[half]);
                    asm.vpermi2w(right[v + half], first, second);
                }
            }
            for (var r = 0; r < rows; r++)
            {
                for (var v = 0; v < vectors; v++)
                    asm.vdpbf16ps(sums[r * vectors + v], right[v], __dword_bcst[a + (r * MostDepth * sizeof(ushort))]);
            }
        }

        void Load(AssemblerRegisterZMM register, AssemblerMemoryOperand place)
        {
            if (vectors > 1)
                asm.vmovdqu64(register, place);
            else
                asm.vmovdqu64(KernelBuilder.Half(register), place);
        }

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
