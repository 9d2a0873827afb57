using System.Text;
using OpenHearth.Engine.Tokenization.Normalizers;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tests.Tokenization.Normalizers;

public class UnicodeNormalizerTests
{
    // Lines of Unicode's NormalizationTest.txt: source, NFC, NFD, NFKC, NFKD.
    [Theory]
    [InlineData("1E0A", "1E0A", "0044 0307", "1E0A", "0044 0307")]
    [InlineData("1E0A 0323", "1E0C 0307", "0044 0323 0307", "1E0C 0307", "0044 0323 0307")]
    [InlineData("03D3", "03D3", "03D2 0301", "038E", "03A5 0301")]
    [InlineData("FB01", "FB01", "FB01", "0066 0069", "0066 0069")]
    [InlineData("212B", "00C5", "0041 030A", "00C5", "0041 030A")]
    [InlineData("AC01", "AC01", "1100 1161 11A8", "AC01", "1100 1161 11A8")]
    [InlineData("AC00 11A8", "AC01", "1100 1161 11A8", "AC01", "1100 1161 11A8")]
    [InlineData("0958", "0915 093C", "0915 093C", "0915 093C", "0915 093C")]
    [InlineData("1D15E", "1D157 1D165", "1D157 1D165", "1D157 1D165", "1D157 1D165")]
    [InlineData("2F868", "36FC", "36FC", "36FC", "36FC")]
    [InlineData("FDFA", "FDFA", "FDFA", "0635 0644 0649 0020 0627 0644 0644 0647 0020 0639 0644 064A 0647 0020 0648 0633 0644 0645",
        "0635 0644 0649 0020 0627 0644 0644 0647 0020 0639 0644 064A 0647 0020 0648 0633 0644 0645")]
    [InlineData("0061 0315 0300 05AE 0300 0062", "00E0 05AE 0300 0315 0062", "0061 05AE 0300 0300 0315 0062", "00E0 05AE 0300 0315 0062", "0061 05AE 0300 0300 0315 0062")]
    public void Apply_LinesOfUnicodesTest_GivesTheirForms(string source, string nfc, string nfd, string nfkc, string nfkd)
    {
        Assert.Equal(Text(nfc), Normalize(Text(source), composes: true, compatible: false));
        Assert.Equal(Text(nfd), Normalize(Text(source), composes: false, compatible: false));
        Assert.Equal(Text(nfkc), Normalize(Text(source), composes: true, compatible: true));
        Assert.Equal(Text(nfkd), Normalize(Text(source), composes: false, compatible: true));
    }

    [Fact]
    public void Apply_RandomText_IsIdempotentAndFormsAgree()
    {
        var random = new Random(5);
        int[] likely = [0x41, 0x61, 0x300, 0x301, 0x323, 0x327, 0xE9, 0x1E0B, 0x1100, 0x1161, 0x11A8, 0xAC00, 0x915, 0x93C, 0x3099, 0x304B, 0x1D15E, 0xFB01];
        for (var round = 0; round < 3000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => char.ConvertFromUtf32(likely[random.Next(likely.Length)])));
            var nfc = Normalize(text, composes: true, compatible: false);
            var nfd = Normalize(text, composes: false, compatible: false);
            Assert.Equal(nfc, Normalize(nfc, composes: true, compatible: false));
            Assert.Equal(nfd, Normalize(nfd, composes: false, compatible: false));
            Assert.Equal(nfc, Normalize(nfd, composes: true, compatible: false));
            Assert.Equal(nfd, Normalize(nfc, composes: false, compatible: false));
        }
    }

    private static string Normalize(string text, bool composes, bool compatible)
    {
        var (from, into) = (new TextBuffer(), new TextBuffer());
        from.Load(text);
        into.Clear(aligned: true);
        var normalizer = new UnicodeNormalizer(composes, compatible);
        if (!normalizer.Changes(from.Span))
            return text;
        normalizer.Apply(from, into, isFirst: true);
        return Encoding.UTF8.GetString(into.Span);
    }

    private static string Text(string codePoints) => string.Concat(codePoints.Split(' ').Select(c => char.ConvertFromUtf32(Convert.ToInt32(c, 16))));
}
