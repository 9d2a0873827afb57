using System.Globalization;
using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Text;

/// <summary>C's <c>strftime</c> in the C locale, with glibc's <c>-</c>, <c>_</c> and <c>0</c> flags. The time has no zone.</summary>
internal static class Strftime
{
    private static readonly string[] Days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

    private static readonly string[] Months =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

    public static void Write(TextSink sink, DateTime time, string format)
    {
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                sink.Append(format[i]);
                continue;
            }
            var flag = format[++i] is '-' or '_' or '0' && i + 1 < format.Length ? format[i++] : '\0';
            Directive(sink, time, format[i], flag);
        }
    }

    private static void Directive(TextSink sink, DateTime time, char directive, char flag)
    {
        switch (directive)
        {
            case 'a': sink.Append(Days[(int)time.DayOfWeek][..3]); break;
            case 'A': sink.Append(Days[(int)time.DayOfWeek]); break;
            case 'b' or 'h': sink.Append(Months[time.Month - 1][..3]); break;
            case 'B': sink.Append(Months[time.Month - 1]); break;
            case 'c': Write(sink, time, "%a %b %e %H:%M:%S %Y"); break;
            case 'x' or 'D': Write(sink, time, "%m/%d/%y"); break;
            case 'X' or 'T': Write(sink, time, "%H:%M:%S"); break;
            case 'r': Write(sink, time, "%I:%M:%S %p"); break;
            case 'R': Write(sink, time, "%H:%M"); break;
            case 'F': Write(sink, time, "%Y-%m-%d"); break;
            case 'p': sink.Append(time.Hour < 12 ? "AM" : "PM"); break;
            case 'P': sink.Append(time.Hour < 12 ? "am" : "pm"); break;
            case 'z' or 'Z': break;
            case 'n': sink.Append('\n'); break;
            case 't': sink.Append('\t'); break;
            case '%': sink.Append('%'); break;
            default:
                if (Numeric(time, directive) is { } number)
                    sink.Append(Pad(number.Value, number.Width, flag == 0 ? number.Fill : flag));
                else
                    sink.Append($"%{directive}");
                break;
        }
    }

    private static (long Value, int Width, char Fill)? Numeric(DateTime time, char directive) => directive switch
    {
        'd' => (time.Day, 2, '0'),
        'e' => (time.Day, 2, '_'),
        'm' => (time.Month, 2, '0'),
        'y' => (time.Year % 100, 2, '0'),
        'Y' => (time.Year, 1, '0'),
        'C' => (time.Year / 100, 2, '0'),
        'H' => (time.Hour, 2, '0'),
        'k' => (time.Hour, 2, '_'),
        'I' => ((time.Hour + 11) % 12 + 1, 2, '0'),
        'l' => ((time.Hour + 11) % 12 + 1, 2, '_'),
        'M' => (time.Minute, 2, '0'),
        'S' => (time.Second, 2, '0'),
        'f' => (time.Ticks % TimeSpan.TicksPerSecond / 10, 6, '0'),
        'j' => (time.DayOfYear, 3, '0'),
        'w' => ((int)time.DayOfWeek, 1, '0'),
        'u' => (((int)time.DayOfWeek + 6) % 7 + 1, 1, '0'),
        'U' => ((time.DayOfYear + 6 - (int)time.DayOfWeek) / 7, 2, '0'),
        'W' => ((time.DayOfYear + 6 - (((int)time.DayOfWeek + 6) % 7)) / 7, 2, '0'),
        'V' => (ISOWeek.GetWeekOfYear(time), 2, '0'),
        'G' => (ISOWeek.GetYear(time), 1, '0'),
        'g' => (ISOWeek.GetYear(time) % 100, 2, '0'),
        's' => ((time.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond, 1, '0'),
        _ => null,
    };

    private static string Pad(long value, int width, char fill)
    {
        var text = value.ToString(CultureInfo.InvariantCulture);
        return fill switch
        {
            '-' => text,
            '_' => text.PadLeft(width, ' '),
            _ => text.PadLeft(width, '0'),
        };
    }
}
