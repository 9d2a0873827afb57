using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace OpenHearth.Cli;

/// <summary>A text that came as bytes: UTF-8, or what its byte order mark says.</summary>
internal static class InputText
{
    /// <summary>The text; what is no UTF-8 in it becomes U+FFFD.</summary>
    public static string Decode(byte[] bytes)
    {
        using var reader = new StreamReader(new MemoryStream(bytes), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }

    /// <summary>The place and value of the first byte that begins no character, or null where all is text.</summary>
    public static (int At, byte Value)? FirstWrong(ReadOnlySpan<byte> bytes)
    {
        if (OtherMark(bytes) || Utf8.IsValid(bytes))
            return null;
        var at = 0;
        while (Rune.DecodeFromUtf8(bytes[at..], out _, out var count) == OperationStatus.Done)
            at += count;
        return (at, bytes[at]);
    }

    // UTF-16 of both byte orders, and with it UTF-32 of one; UTF-32 of the other.
    private static bool OtherMark(ReadOnlySpan<byte> bytes) => bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, 0, 0xFE, 0xFF, ..];
}
