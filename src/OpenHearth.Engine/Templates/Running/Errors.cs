namespace OpenHearth.Engine.Templates.Running;

/// <summary>Shorthand for the exceptions that evaluation throws; the line is added where the rendering ends.</summary>
internal static class Errors
{
    public static TemplateException Type(string message) => new(TemplateErrorKind.Type, message);

    public static TemplateException Undefined(string message) => new(TemplateErrorKind.Undefined, message);

    public static TemplateException Value(string message) => new(TemplateErrorKind.Value, message);

    public static TemplateException Security(string message) => new(TemplateErrorKind.Security, message);

    public static TemplateException Limit(string what) => new(TemplateErrorKind.Limit, $"the template needs {what}");
}
