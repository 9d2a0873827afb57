using System.Runtime.InteropServices;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>
/// Writes the product of rows of plain numbers (F32, F16, BF16) with few tokens: columns lie in lanes, weights become F32
/// on the way in, activations stay as they are, sixteen columns of each token in turn: tokens a power of two apart would
/// push each other out of the cache. As in <see cref="GemvWriter"/> several rows are read side by side; they also share
/// what is loaded of the activations.
/// </summary>
internal sealed class FloatGemvKernel
{
    /// <summary>Most tokens of a kernel.</summary>
    public const int MostTokens = 8;

    private const int PrefetchBytes = 1024;
    private const int MostStreams = 4;

    private static readonly TensorType[] Types = [TensorType.F32, TensorType.F16, TensorType.BF16];

    private static readonly KernelTable Kernels = new(Types.Length * MostTokens, number =>
        new FloatGemvKernel(Types[number / MostTokens], number % MostTokens + 1).Write());

    private readonly KernelBuilder _builder = new();
    private readonly TensorType _type;
    private readonly int _bytes; // of a number
    private readonly int _tokens;
    private readonly int _streams;
    private readonly AssemblerRegisterZMM[] _weights; // [streams]
    private readonly AssemblerRegisterZMM _x;
    private readonly AssemblerRegisterZMM[][][] _totals; // [streams][tokens][what columns of neighbouring sixteens go to]

    private FloatGemvKernel(TensorType type, int tokens)
    {
        _type = type;
        _bytes = TensorTypes.BlockBytes(type);
        _tokens = tokens;
        _streams = StreamsFor(tokens);
        _weights = _builder.Vectors("weights", _streams);
        _x = _builder.Vector("activations");
        _totals = [.. Enumerable.Range(0, _streams).Select(s => Enumerable.Range(0, tokens)
            .Select(t => _builder.Vectors($"total{s}.{t}.", tokens <= 2 ? 2 : 1)).ToArray())];
    }

    /// <summary>Whether there are kernels for a type.</summary>
    public static bool Has(TensorType type) => Types.Contains(type);

    /// <summary>The kernel for 1 to 8 tokens.</summary>
    public static GeneratedKernel Get(TensorType type, int tokens) => Kernels[Array.IndexOf(Types, type) * MostTokens + tokens - 1];

    /// <summary>What a kernel reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Arguments
    {
        public byte* Weights; // of the first stream
        public fixed long WeightOffsets[MostStreams]; // bytes from the first stream's rows to each stream's
        public fixed long YOffsets[MostStreams]; // bytes from the first stream's results to each stream's
        public long Rows; // of each stream
        public float* X; // [sixteens of columns, tokens, 16], zeros at the end
        public long Columns;
        public float* Y;
        public long YStride; // bytes from a token's results to the next one's
    }

    /// <summary>Spreads rows over streams, which overlap where rows are no multiple: see <see cref="GemvWriter.Spread"/>.</summary>
    public static unsafe void Spread(ref Arguments arguments, int rows, int rowBytes, int tokens)
    {
        var streams = StreamsFor(tokens);
        arguments.Rows = (rows + streams - 1) / streams;
        for (var s = 0; s < streams; s++)
        {
            var first = Math.Min(s * arguments.Rows, rows - arguments.Rows);
            arguments.WeightOffsets[s] = first * rowBytes;
            arguments.YOffsets[s] = first * sizeof(float);
        }
    }

    private static int StreamsFor(int tokens) => tokens <= 4 ? MostStreams : 3;

    // rdi arguments; rsi weights, with r10, rbx and rbp the way to other streams; rdx activations; rax columns left; r11 free.
    private GeneratedKernel Write()
    {
        var a = _builder.Asm;
        var (row, four, one, oneLoop, rest, done) =
            (a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel());
        a.push(rbx);
        a.push(rbp);
        a.mov(rsi, Argument(nameof(Arguments.Weights)));
        a.mov(r10, Argument(nameof(Arguments.WeightOffsets), 8));
        a.mov(rbx, Argument(nameof(Arguments.WeightOffsets), 16));
        a.mov(rbp, Argument(nameof(Arguments.WeightOffsets), 24));
        a.mov(rax, Argument(nameof(Arguments.Columns)));
        a.and(eax, 15);
        a.mov(r11d, -1);
        a.bzhi(eax, r11d, eax);
        a.kmovd(k1, eax);

        a.Label(ref row);
        a.mov(rdx, Argument(nameof(Arguments.X)));
        a.mov(rax, Argument(nameof(Arguments.Columns)));
        foreach (var total in _totals.SelectMany(tokens => tokens).SelectMany(parts => parts))
            a.vpxord(total, total, total);
        a.sub(rax, 64);
        a.jl(one);
        a.Label(ref four);
        for (var stream = 0; stream < _streams; stream++)
        {
            for (var line = 0; line < _bytes; line++)
                a.prefetcht0(__byte_ptr[Row(stream) + (PrefetchBytes + 64 * line)]);
        }
        for (var i = 0; i < 4; i++)
            Multiply(i, tail: false);
        Advance(4);
        a.sub(rax, 64);
        a.jge(four);
        a.Label(ref one);
        a.add(rax, 48); // of 64 columns that were too many, 16 may be there
        a.jl(rest);
        a.Label(ref oneLoop);
        Multiply(0, tail: false);
        Advance(1);
        a.sub(rax, 16);
        a.jge(oneLoop);
        a.Label(ref rest);
        a.and(rax, 15);
        a.je(done);
        Multiply(0, tail: true);
        a.lea(rsi, __[rsi + rax * _bytes]);
        a.Label(ref done);
        for (var stream = 0; stream < _streams; stream++)
            WriteResults(stream);
        a.add(Argument(nameof(Arguments.Y)), sizeof(float));
        a.dec(Argument(nameof(Arguments.Rows)));
        a.jne(row);
        a.pop(rbp);
        a.pop(rbx);
        return _builder.Build($"gemv {_type} × {_tokens} {(_tokens == 1 ? "token" : "tokens")}");
    }

    // Sixteen columns of all rows and tokens, or the last ones.
    private void Multiply(int index, bool tail)
    {
        var a = _builder.Asm;
        for (var stream = 0; stream < _streams; stream++)
        {
            var place = Row(stream) + 16 * index * _bytes;
            var target = tail ? _weights[stream].k1.z : _weights[stream];
            if (_type == TensorType.F32)
                a.vmovups(target, __zmmword_ptr[place]);
            else if (_type == TensorType.F16)
                a.vcvtph2ps(target, __ymmword_ptr[place]);
            else
            {
                a.vpmovzxwd(target, __ymmword_ptr[place]);
                a.vpslld(_weights[stream], _weights[stream], 16);
            }
        }
        for (var t = 0; t < _tokens; t++)
        {
            a.vmovups(_x, __zmmword_ptr[rdx + 64 * (index * _tokens + t)]);
            for (var stream = 0; stream < _streams; stream++)
            {
                var parts = _totals[stream][t];
                a.vfmadd231ps(parts[index % parts.Length], _weights[stream], _x);
            }
        }
    }

    private void Advance(int sixteens)
    {
        var a = _builder.Asm;
        a.add(rsi, 16 * _bytes * sixteens);
        a.add(rdx, 64 * sixteens * _tokens);
    }

    private void WriteResults(int stream)
    {
        var a = _builder.Asm;
        a.mov(r11, Argument(nameof(Arguments.Y)));
        a.add(r11, Argument(nameof(Arguments.YOffsets), 8 * stream));
        foreach (var parts in _totals[stream])
        {
            foreach (var other in parts.Skip(1))
                a.vaddps(parts[0], parts[0], other);
            _builder.SumLanes(parts[0], _x);
            a.vmovss(__dword_ptr[r11], KernelBuilder.Quarter(parts[0]));
            a.add(r11, Argument(nameof(Arguments.YStride)));
        }
    }

    private static AssemblerMemoryOperand Row(int stream) => stream switch
    {
        0 => rsi + 0,
        1 => rsi + r10,
        2 => rsi + rbx,
        _ => rsi + rbp,
    };

    private static AssemblerMemoryOperand Argument(string field, int offset = 0) =>
        __qword_ptr[rdi + ((int)Marshal.OffsetOf<Arguments>(field) + offset)];
}
