using Iced.Intel;
using OpenHearth.Kernels.CodeGen;

namespace OpenHearth.Kernels.Tests.CodeGen;

/// <summary>
/// Executes generated kernels of AMX instruction by instruction, as Intel's manual describes them (Software Developer's
/// Manual, volume 2, TDPBF16PS and the TILE instructions; palette 1), since no machine at hand has them. Knows just the
/// instructions that such a kernel needs, and throws at any other, at tiles that are not configured, at shapes that do not
/// fit, and at registers of the caller that are not given back. A thread's tiles last from one kernel to the next.
/// </summary>
internal sealed unsafe class TileInterpreter
{
    private const int MostRows = 16, MostRowBytes = 64, Tiles = 8;
    private const int MostInstructions = 10_000_000;

    private static readonly Register[] KeptRegisters = [Register.RSP, Register.RBX, Register.RBP, Register.R12, Register.R13, Register.R14, Register.R15];

    [ThreadStatic]
    private static Tile[]? _tiles; // null until configured

    private readonly Dictionary<ulong, Instruction> _code = [];
    private readonly ulong[] _registers = new ulong[16];
    private readonly List<(ulong Start, ulong End)>? _memory;
    private bool _zero;

    private TileInterpreter(GeneratedKernel kernel, List<(ulong Start, ulong End)>? memory)
    {
        _memory = memory;
        var decoder = Iced.Intel.Decoder.Create(64, new ByteArrayCodeReader(new Span<byte>(kernel.Code, kernel.Bytes).ToArray()), (ulong)kernel.Code);
        Instruction instruction;
        do
        {
            instruction = decoder.Decode();
            _code.Add(instruction.IP, instruction);
        }
        while (instruction.Mnemonic != Mnemonic.Ret);
        for (var i = 0; i < _registers.Length; i++)
            _registers[i] = 0xDEAD_0000_0000_0000 + (ulong)i;
    }

    /// <summary>True while this thread has tiles.</summary>
    public static bool Configured => _tiles is not null;

    /// <summary>Executes a kernel that may touch any memory.</summary>
    public static void Run(GeneratedKernel kernel, void* arguments) => new TileInterpreter(kernel, null).Run((ulong)kernel.Code, arguments);

    /// <summary>Executes a kernel whose tiles may touch these ranges of memory alone.</summary>
    public static void Run(GeneratedKernel kernel, void* arguments, List<(ulong Start, ulong End)> memory) =>
        new TileInterpreter(kernel, memory).Run((ulong)kernel.Code, arguments);

    private void Run(ulong ip, void* arguments)
    {
        this[Register.RDI] = (ulong)arguments;
        ulong[] kept = [.. KeptRegisters.Select(register => this[register])];
        for (var i = 0; i < MostInstructions; i++)
        {
            var instruction = _code[ip];
            if (instruction.Mnemonic == Mnemonic.Ret)
            {
                Assert.Equal(kept, KeptRegisters.Select(register => this[register]));
                return;
            }
            ip = instruction.Mnemonic == Mnemonic.Jne && !_zero ? instruction.NearBranchTarget : instruction.NextIP;
            Execute(instruction);
        }
        throw new InvalidOperationException("The kernel does not end.");
    }

    private ulong this[Register register]
    {
        get => _registers[register - Register.RAX];
        set => _registers[register - Register.RAX] = value;
    }

    private void Execute(in Instruction instruction)
    {
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Mov: this[instruction.Op0Register] = Value(instruction); break;
            case Mnemonic.Lea: this[instruction.Op0Register] = Address(instruction); break;
            case Mnemonic.Add: this[instruction.Op0Register] = Flags(this[instruction.Op0Register] + Value(instruction)); break;
            case Mnemonic.Dec: this[instruction.Op0Register] = Flags(this[instruction.Op0Register] - 1); break;
            case Mnemonic.Shl: this[instruction.Op0Register] = Flags(this[instruction.Op0Register] << instruction.Immediate8); break;
            case Mnemonic.Jne or Mnemonic.Vzeroupper: break;
            case Mnemonic.Ldtilecfg: Configure(new Span<byte>((void*)Address(instruction), 64)); break;
            case Mnemonic.Tilerelease: _tiles = null; break;
            case Mnemonic.Tilezero: TileOf(instruction.Op0Register).Data.AsSpan().Clear(); break;
            case Mnemonic.Tileloadd: Load(TileOf(instruction.Op0Register), Address(instruction), Stride(instruction)); break;
            case Mnemonic.Tilestored: Store(TileOf(instruction.Op1Register), Address(instruction), Stride(instruction)); break;
            case Mnemonic.Tdpbf16ps: Multiply(TileOf(instruction.Op0Register), TileOf(instruction.Op1Register), TileOf(instruction.Op2Register)); break;
            default: throw new NotSupportedException($"{instruction} is not known here.");
        }
    }

    private ulong Flags(ulong result)
    {
        _zero = result == 0;
        return result;
    }

    private ulong Value(in Instruction instruction) => instruction.Op1Kind switch
    {
        OpKind.Register => this[instruction.Op1Register],
        OpKind.Memory => *(ulong*)Address(instruction),
        _ => instruction.GetImmediate(1),
    };

    // The index of a tile's address is not added to it: it is the way from row to row.
    private ulong Address(in Instruction instruction)
    {
        if (instruction.IsIPRelativeMemoryOperand)
            return instruction.IPRelativeMemoryAddress;
        var isTile = instruction.Mnemonic is Mnemonic.Tileloadd or Mnemonic.Tilestored;
        Assert.True(isTile ? instruction.MemoryIndex != Register.None : instruction.MemoryIndex == Register.None, $"{instruction}");
        return this[instruction.MemoryBase] + instruction.MemoryDisplacement64;
    }

    private ulong Stride(in Instruction instruction) => this[instruction.MemoryIndex] * (ulong)instruction.MemoryIndexScale;

    private static void Configure(ReadOnlySpan<byte> configuration)
    {
        Assert.Equal(1, configuration[0]);
        Assert.Equal(0, configuration[1]);
        Assert.All(configuration[2..16].ToArray().Concat(configuration[32..48].ToArray()).Concat(configuration[56..].ToArray()), value => Assert.Equal(0, value));
        _tiles = new Tile[Tiles];
        for (var i = 0; i < Tiles; i++)
        {
            var (rowBytes, rows) = (BitConverter.ToUInt16(configuration[(16 + 2 * i)..]), configuration[48 + i]);
            Assert.True(rowBytes is > 0 and <= MostRowBytes && rows is > 0 and <= MostRows);
            _tiles[i] = new Tile(rows, rowBytes, new byte[MostRows * MostRowBytes]);
        }
    }

    private static Tile TileOf(Register register) =>
        (_tiles ?? throw new InvalidOperationException("Tiles are not configured."))[register - Register.TMM0];

    private void Load(Tile tile, ulong address, ulong stride)
    {
        tile.Data.AsSpan().Clear();
        for (var r = 0; r < tile.Rows; r++)
            new Span<byte>((void*)Checked(address + (ulong)r * stride, tile.RowBytes), tile.RowBytes).CopyTo(tile.Data.AsSpan(r * MostRowBytes));
    }

    private void Store(Tile tile, ulong address, ulong stride)
    {
        for (var r = 0; r < tile.Rows; r++)
            tile.Data.AsSpan(r * MostRowBytes, tile.RowBytes).CopyTo(new Span<byte>((void*)Checked(address + (ulong)r * stride, tile.RowBytes), tile.RowBytes));
    }

    private ulong Checked(ulong address, int bytes)
    {
        if (_memory is not null && !_memory.Exists(range => address >= range.Start && address + (ulong)bytes <= range.End))
            throw new InvalidOperationException($"{bytes} bytes at {address:X} belong to nobody.");
        return address;
    }

    // c [m, n] += a [m, k pairs] · b [k pairs, n], sums of even and of odd numbers apart.
    private static void Multiply(Tile c, Tile a, Tile b)
    {
        Assert.True(c.Rows == a.Rows && c.RowBytes == b.RowBytes && b.Rows == a.RowBytes / 4);
        var (even, odd) = (new float[c.RowBytes / 4], new float[c.RowBytes / 4]);
        for (var m = 0; m < c.Rows; m++)
        {
            Array.Clear(even);
            Array.Clear(odd);
            for (var k = 0; k < b.Rows; k++)
            {
                for (var n = 0; n < even.Length; n++)
                {
                    even[n] = Flush(MathF.FusedMultiplyAdd(a.Half(m, 2 * k), b.Half(k, 2 * n), even[n]));
                    odd[n] = Flush(MathF.FusedMultiplyAdd(a.Half(m, 2 * k + 1), b.Half(k, 2 * n + 1), odd[n]));
                }
            }
            for (var n = 0; n < even.Length; n++)
            {
                var place = c.Data.AsSpan(m * MostRowBytes + 4 * n);
                BitConverter.TryWriteBytes(place, Flush(Flush(BitConverter.ToSingle(place)) + Flush(even[n] + odd[n])));
            }
        }
    }

    private static float Flush(float value) => float.IsSubnormal(value) ? MathF.CopySign(0, value) : value;

    private sealed record Tile(int Rows, int RowBytes, byte[] Data)
    {
        public float Half(int row, int number) =>
            Flush(BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(Data, row * MostRowBytes + 2 * number) << 16));
    }
}
