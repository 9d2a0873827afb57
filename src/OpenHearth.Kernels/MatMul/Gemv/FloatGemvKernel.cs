using System.Runtime.InteropServices;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>
/// Writes the product of rows of plain numbers (F32, F16, BF16) with few tokens: columns lie in lanes, weights become F32
/// on the way in, activations stay as they are.
/// </summary>
internal static class FloatGemvKernel
{
    /// <summary>Most tokens of a kernel.</summary>
    public const int MostTokens = 8;

    private const int PrefetchBytes = 1024;

    private static readonly TensorType[] Types = [TensorType.F32, TensorType.F16, TensorType.BF16];

    private static readonly KernelTable Kernels = new(Types.Length * MostTokens, number =>
        Write(Types[number / MostTokens], number % MostTokens + 1));

    /// <summary>Whether there are kernels for a type.</summary>
    public static bool Has(TensorType type) => Types.Contains(type);

    /// <summary>The kernel for 1 to 8 tokens.</summary>
    public static GeneratedKernel Get(TensorType type, int tokens) => Kernels[Array.IndexOf(Types, type) * MostTokens + tokens - 1];

    /// <summary>What a kernel reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Arguments
    {
        public byte* Weights;
        public long Rows;
        public float* X; // [tokens, columns]
        public long XStride; // bytes from one token to the next
        public long Columns;
        public float* Y;
        public long YStride; // bytes from a token's results to the next one's
    }

    private static GeneratedKernel Write(TensorType type, int tokens)
    {
        var b = new KernelBuilder();
        var a = b.Asm;
        var bytes = TensorTypes.BlockBytes(type);
        var weights = b.Vector("weights");
        var totals = Enumerable.Range(0, tokens).Select(t => b.Vectors($"total{t}.", tokens == 1 ? 4 : tokens <= 4 ? 2 : 1)).ToArray();
        var parts = totals[0].Length;
        var (stride, stride3, x, x4) = (r8, r9, rdx, rcx);
        a.push(rbx);
        a.mov(rsi, __[rdi]);
        a.mov(rbx, __[rdi + 40]);
        a.mov(stride, __[rdi + 24]);
        a.lea(stride3, __[stride + stride * 2]);
        a.mov(rax, __[rdi + 32]);
        a.and(eax, 15);
        a.mov(r11d, -1);
        a.bzhi(eax, r11d, eax);
        a.kmovd(k1, eax);

        AssemblerMemoryOperand Token(int t, int offset)
        {
            var start = t < 4 ? x : x4;
            return (t % 4) switch
            {
                0 => __zmmword_ptr[start + offset],
                1 => __zmmword_ptr[start + stride + offset],
                2 => __zmmword_ptr[start + stride * 2 + offset],
                _ => __zmmword_ptr[start + stride3 + offset],
            };
        }

        void Sixteen(int index, bool tail)
        {
            var place = rsi + 16 * index * bytes;
            var target = tail ? weights.k1.z : weights;
            if (type == TensorType.F32)
                a.vmovups(target, __zmmword_ptr[place]);
            else if (type == TensorType.F16)
                a.vcvtph2ps(target, __ymmword_ptr[place]);
            else
            {
                a.vpmovzxwd(target, __ymmword_ptr[place]);
                a.vpslld(weights, weights, 16);
            }
            for (var t = 0; t < tokens; t++)
                a.vfmadd231ps(tail ? totals[t][index % parts].k1 : totals[t][index % parts], weights, Token(t, 64 * index));
        }

        var (row, four, one, rest, done) = (a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel());
        var oneLoop = a.CreateLabel();
        a.Label(ref row);
        a.mov(x, __[rdi + 16]);
        a.lea(x4, __[x + stride * 4]);
        a.mov(rax, __[rdi + 32]);
        foreach (var total in totals.SelectMany(all => all))
            a.vpxord(total, total, total);
        a.sub(rax, 64);
        a.jl(one);
        a.Label(ref four);
        for (var line = 0; line < bytes; line++)
            a.prefetcht0(__byte_ptr[rsi + PrefetchBytes + 64 * line]);
        for (var i = 0; i < 4; i++)
            Sixteen(i, tail: false);
        Advance(4);
        a.sub(rax, 64);
        a.jge(four);
        a.Label(ref one);
        a.add(rax, 48); // of 64 columns that were too many, 16 may be there
        a.jl(rest);
        a.Label(ref oneLoop);
        Sixteen(0, tail: false);
        Advance(1);
        a.sub(rax, 16);
        a.jge(oneLoop);
        a.Label(ref rest);
        a.and(rax, 15);
        a.je(done);
        Sixteen(0, tail: true);
        a.lea(rsi, __[rsi + rax * bytes]);
        a.Label(ref done);
        Store();
        a.add(rbx, 4);
        a.dec(__qword_ptr[rdi + 8]);
        a.jne(row);
        a.pop(rbx);
        return b.Build($"gemv {type} × {tokens} {(tokens == 1 ? "token" : "tokens")}");

        void Advance(int sixteens)
        {
            a.add(rsi, 16 * bytes * sixteens);
            a.add(x, 64 * sixteens);
            if (tokens > 4)
                a.add(x4, 64 * sixteens);
        }

        void Store()
        {
            a.mov(r11, rbx);
            for (var t = 0; t < tokens; t++)
            {
                foreach (var other in totals[t].Skip(1))
                    a.vaddps(totals[t][0], totals[t][0], other);
                b.SumLanes(totals[t][0], weights);
                a.vmovss(__dword_ptr[r11], KernelBuilder.Quarter(totals[t][0]));
                a.add(r11, __qword_ptr[rdi + 48]);
            }
        }
    }
}
