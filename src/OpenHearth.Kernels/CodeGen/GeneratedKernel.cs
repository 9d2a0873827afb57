using System.Text;
using Iced.Intel;

namespace OpenHearth.Kernels.CodeGen;

/// <summary>A piece of machine code that this program wrote for this processor. Immutable, thread-safe, never freed.</summary>
internal sealed unsafe class GeneratedKernel
{
    private readonly (string Name, AssemblerRegisterZMM Register)[] _names;
    private readonly int _constantBytes;

    private GeneratedKernel(string name, byte* code, int bytes, int constantBytes, (string, AssemblerRegisterZMM)[] names)
    {
        Name = name;
        Code = code;
        Bytes = bytes;
        _constantBytes = constantBytes;
        _names = names;
    }

    /// <summary>What it computes, for example <c>gemv Q4_K × 1</c>.</summary>
    public string Name { get; }

    /// <summary>Its first instruction; it takes one pointer and returns nothing.</summary>
    public byte* Code { get; }

    /// <summary>Length with its constants.</summary>
    public int Bytes { get; }

    /// <summary>Calls it.</summary>
    /// <param name="arguments">The struct that this kernel reads.</param>
    public void Run(void* arguments) => ((delegate* unmanaged<void*, void>)Code)(arguments);

    /// <summary>The machine code as text, with the names of its registers on top.</summary>
    public string Listing()
    {
        var text = new StringBuilder();
        text.AppendLine($"; {Name}, {Bytes} bytes of which {_constantBytes} are constants");
        foreach (var group in _names.GroupBy(entry => entry.Register.Value))
            text.AppendLine($"; {group.Key.ToString().ToLowerInvariant(),-5} = {string.Join(", then ", group.Select(entry => entry.Name).Distinct())}");
        var decoder = Iced.Intel.Decoder.Create(64, new ByteArrayCodeReader(new Span<byte>(Code, Bytes - _constantBytes).ToArray()), (ulong)Code);
        var formatter = new IntelFormatter();
        var line = new StringOutput();
        while (decoder.IP < (ulong)Code + (ulong)(Bytes - _constantBytes))
        {
            formatter.Format(decoder.Decode(), line);
            text.AppendLine(line.ToStringAndReset());
        }
        return text.ToString();
    }

    internal static GeneratedKernel Write(string name, Assembler assembler, int constantBytes, IEnumerable<(string, AssemblerRegisterZMM)> names)
    {
        // Jumps and constants are relative to the next instruction, so the bytes are the same wherever they lie.
        var code = Assemble(assembler);
        var pages = ExecutableMemory.Reserve(code.Length + 64);
        // Code begins where its constants, 64 bytes each, come to lie on lines of the cache.
        var start = pages + (64 - (code.Length - constantBytes) % 64) % 64;
        code.CopyTo(new Span<byte>(start, code.Length));
        ExecutableMemory.Seal(pages, code.Length + 64);
        return new GeneratedKernel(name, start, code.Length, constantBytes, [.. names]);
    }

    private static byte[] Assemble(Assembler assembler)
    {
        const ulong anywhere = 0x10000;
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), anywhere);
        return stream.ToArray();
    }
}
