using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>
/// The first 16 bytes of Q4_K's blocks: two factors in half precision, then eight scales and eight minimums of six bits,
/// which become F32 in memory of the kernel's own. In lanes, a double word holds four scales of a row.
/// </summary>
/// <param name="w">The kernel.</param>
/// <param name="eight">Eight registers, free while this writes.</param>
/// <param name="free">Four more.</param>
/// <param name="nibble">Bytes of 15.</param>
internal sealed class RowLaneScales(RowLaneWriter w, AssemblerRegisterZMM[] eight, AssemblerRegisterZMM[] free, AssemblerRegisterZMM nibble)
{
    private const int Groups = 8;

    private readonly int _scales = w.Reserve(Groups);
    private readonly int _mins = w.Reserve(Groups);
    private readonly Label _six = w.Builder.Data(Bytes(0x3F));
    private readonly Label _twoHigh = w.Builder.Data(Bytes(0x30));
    private readonly Label _byte = w.Builder.Data(Bytes(0xFF, every: 4));

    /// <summary>Takes a block's numbers apart.</summary>
    public void Write()
    {
        var a = w.Asm;
        var (factor, first, second, third) = (eight[0], eight[1], eight[2], eight[3]);
        var (minFactor, low, lowMins, high) = (eight[4], eight[5], eight[6], eight[7]);
        w.Load(eight.AsSpan(0, 4), eight.AsSpan(4), 0);
        RowLaneWriter.Halves(a, factor, minFactor);
        a.vpxord(free[0], free[0], free[0]);
        a.vsubps(minFactor, free[0], minFactor);
        a.vpandd(low, first, __zmmword_ptr[_six]);
        a.vpandd(lowMins, second, __zmmword_ptr[_six]);
        WithHighBits(high, third, first);
        a.vpsrld(third, third, 4);
        var highMins = first;
        WithHighBits(highMins, third, second);
        for (var k = 0; k < 4; k++)
        {
            Store(low, k, factor, _scales, k);
            Store(high, k, factor, _scales, 4 + k);
            Store(lowMins, k, minFactor, _mins, k);
            Store(highMins, k, minFactor, _mins, 4 + k);
        }
    }

    /// <summary>Loads scales and minimums of a group.</summary>
    public void Load(int group, AssemblerRegisterZMM scale, AssemblerRegisterZMM min)
    {
        w.Asm.vmovaps(scale, __zmmword_ptr[RowLaneWriter.Own(_scales, group)]);
        w.Asm.vmovaps(min, __zmmword_ptr[RowLaneWriter.Own(_mins, group)]);
    }

    // Four bits of each byte, and two more that are the upper ones of another.
    private void WithHighBits(AssemblerRegisterZMM result, AssemblerRegisterZMM fourBits, AssemblerRegisterZMM twoBits)
    {
        w.Asm.vpsrld(free[0], twoBits, 2);
        w.Asm.vpandd(free[0], free[0], __zmmword_ptr[_twoHigh]);
        w.Asm.vpandd(result, fourBits, nibble);
        w.Asm.vpord(result, result, free[0]);
    }

    private void Store(AssemblerRegisterZMM four, int index, AssemblerRegisterZMM factor, int place, int group)
    {
        var (a, value) = (w.Asm, free[index]);
        a.vpsrld(value, four, (byte)(8 * index));
        a.vpandd(value, value, __zmmword_ptr[_byte]);
        a.vcvtdq2ps(value, value);
        a.vmulps(value, value, factor);
        a.vmovaps(__zmmword_ptr[RowLaneWriter.Own(place, group)], value);
    }

    private static byte[] Bytes(byte value, int every = 1) => [.. Enumerable.Range(0, 64).Select(i => i % every == 0 ? value : (byte)0)];
}
