namespace OpenHearth.Engine.Tests.Templates.Text;

/// <summary>The clock of the references is 2026-03-15 09:30:00. The expectations are what Jinja 2 gives.</summary>
public sealed class StrftimeTests
{
    [Theory]
    [InlineData("{{ strftime_now(\"%Y-%m-%d %d %b %Y %B %A %j %H:%M:%S %y %m %a %p %I %% %e %-d %U %W %w %u %V %G %C %D %F %T %R %c|%x|%X|%h|%n%t|%f|%Z|%z|\") }}", "2026-03-15 15 Mar 2026 March Sunday 074 09:30:00 26 03 Sun AM 09 % 15 15 11 10 0 7 11 2026 20 03/15/26 2026-03-15 09:30:00 09:30 Sun Mar 15 09:30:00 2026|03/15/26|09:30:00|Mar|\n\t|000000|||")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));
}
