namespace OpenHearth.Engine.Tests.Templates.Text;

/// <summary>How numbers are printed. The expectations are what Jinja 2 gives.</summary>
public sealed class PythonNumberTests
{
    [Theory]
    [InlineData("{{ 1e3 }} {{ 1.0 }} {{ 1e16 }} {{ 1e15 }} {{ 1.5e-7 }} {{ 1e-7 }} {{ 123456789.123456789 }} {{ 1e100 }} {{ 1e22 }} {{ 1e21 }} {{ 123456789012345680.0 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }} {{ 0.0001 }} {{ 0.00001 }} {{ -0.0 }} {{ 100000.0 }} {{ 9.9e-5 }} {{ 0.1 }}", "1000.0 1.0 1e+16 1000000000000000.0 1.5e-07 1e-07 123456789.12345679 1e+100 1e+22 1e+21 1.2345678901234568e+17 5e-324 1.7976931348623157e+308 0.0001 1e-05 -0.0 100000.0 9.9e-05 0.1")]
    [InlineData("{{ \"42\"|int }} {{ \"4.7\"|int }} {{ \"x\"|int }} {{ \"x\"|int(-1) }} {{ \"0x1f\"|int(base=16) }} {{ \"ff\"|int(0, 16) }} {{ 3.99|int }} {{ -3.99|int }} {{ true|int }} {{ none|int }} {{ \"1_000\"|int }} {{ \" 12 \"|int }} {{ \"0b11\"|int(0, 2) }} {{ \"١٢\"|int }} {{ [1]|int }}", "42 4 0 -1 31 255 3 -3 1 0 1000 12 3 12 0")]
    [InlineData("{{ \"3.7\"|float }} {{ \"x\"|float }} {{ \"x\"|float(1.5) }} {{ \"inf\"|float }} {{ \"-Infinity\"|float }} {{ \"nan\"|float }} {{ 3|float }} {{ none|float }} {{ \"-.5e1\"|float }} {{ \"1_0.5\"|float }} {{ \"1__0\"|float }}", "3.7 0.0 1.5 inf -inf nan 3.0 0.0 -5.0 10.5 0.0")]
    [InlineData("{{ 2.5|round }} {{ 3.5|round }} {{ 2.675|round(2) }} {{ 1.005|round(2) }} {{ 7.1|round(0, \"ceil\") }} {{ 7.9|round(method=\"floor\") }} {{ 1234.5|round(-2) }} {{ 5|round }} {{ 25|round(-1) }} {{ -2.5|round }} {{ 1e300|round(2) }} {{ true|round }} {{ -0.5|round(1, \"floor\") }}", "2.0 4.0 2.67 1.0 8.0 7.0 1200.0 5 20 -2.0 1e+300 1 -0.5")]
    public void Template_Rendered_EqualsJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateSamples.Render(template));
}
