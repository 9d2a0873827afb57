using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Tests.Vectors;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.Elementwise;

public sealed class ArithmeticTests : IDisposable
{
    private readonly ComputePool _pool = new(2);

    public void Dispose() => _pool.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 17)]
    [InlineData(1, 64)]
    [InlineData(130, 300)]
    public void Rows_OfAnySize_AreTheFormula(int rows, int width)
    {
        var a = EveryWidth.Random(1, rows * width, 4);
        var b = EveryWidth.Random(2, rows * width);
        var row = b[..width];
        var y = new float[a.Length];
        Arithmetic.Add(_pool, a, b, y, rows, width);
        EveryWidth.AreClose([.. a.Select((v, i) => (double)(v + b[i]))], y, 0, "add");
        Arithmetic.Add(_pool, a, row, y, rows, width);
        EveryWidth.AreClose([.. a.Select((v, i) => (double)(v + row[i % width]))], y, 0, "add a row");
        Arithmetic.Multiply(_pool, a, b, y, rows, width);
        EveryWidth.AreClose([.. a.Select((v, i) => (double)(v * b[i]))], y, 0, "multiply");
        Arithmetic.Scale(_pool, a, 0.3f, y, rows, width);
        EveryWidth.AreClose([.. a.Select(v => (double)(v * 0.3f))], y, 0, "scale");
        Arithmetic.Clamp(_pool, a, 1.5f, y, rows, width);
        EveryWidth.AreClose([.. a.Select(v => (double)Math.Clamp(v, -1.5f, 1.5f))], y, 0, "clamp");
        Arithmetic.SoftCap(_pool, a, 2f, y, rows, width);
        EveryWidth.AreClose([.. a.Select(v => 2 * Math.Tanh(v / 2.0))], y, 1e-6, "soft cap");
    }

    [Fact]
    public void Add_OfABufferThatIsTooShort_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Arithmetic.Add(_pool, new float[12], new float[11], new float[12], 3, 4));
}
