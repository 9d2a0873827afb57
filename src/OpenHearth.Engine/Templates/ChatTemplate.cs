using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Syntax;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates;

/// <summary>
/// A chat template: the subset of Jinja that models ship to turn messages into a prompt, with the meaning that
/// Jinja 2 gives it in an immutable sandbox with <c>trim_blocks</c> and <c>lstrip_blocks</c>. Nothing in a template
/// reaches the host: values are a closed set of types, and steps, memory, output, depth and time are bounded.
/// Immutable and thread-safe.
/// </summary>
public sealed class ChatTemplate
{
    private const string ChatMlSource =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    private readonly Template _template;

    private ChatTemplate(string source, Template template)
    {
        Source = source;
        _template = template;
    }

    /// <summary>ChatML, for a model that brings no template; the caller should say that it is a guess.</summary>
    public static ChatTemplate ChatMl { get; } = Parse(ChatMlSource);

    /// <summary>The text as it was given.</summary>
    public string Source { get; }

    /// <summary>True where the template marks what the assistant says with <c>{% generation %}</c>.</summary>
    public bool MarksGeneration => _template.MarksGeneration;

    /// <summary>Reads a template.</summary>
    /// <exception cref="TemplateException">The text isn't a template (kind syntax) or is larger than any template needs to be (kind limit).</exception>
    public static ChatTemplate Parse(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new(source, new Parser(source).Parse());
    }

    /// <summary>Renders the template with an object of variables.</summary>
    /// <exception cref="TemplateException">The template failed; see its kind.</exception>
    public RenderedTemplate Render(JsonElement variables, TemplateOptions? options = null)
    {
        var reader = new JsonValues();
        return Render(reader.ReadObject(variables), reader.Size, options);
    }

    /// <summary>
    /// Renders the template with an object of variables. A number made of a <see cref="double"/> stays a float
    /// (<c>10000.0</c>), one made of an integer or parsed from text without point or exponent stays an integer.
    /// </summary>
    /// <exception cref="TemplateException">The template failed; see its kind.</exception>
    public RenderedTemplate Render(JsonObject variables, TemplateOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(variables);
        var reader = new JsonValues();
        return Render(reader.ReadObject(variables), reader.Size, options);
    }

    private RenderedTemplate Render(Dictionary<string, Value> variables, long size, TemplateOptions? options)
    {
        options ??= new TemplateOptions();
        var rendering = new Rendering(variables, new Budget(options.Limits, size), options.Clock, _template);
        try
        {
            return rendering.Run();
        }
        catch (TemplateException failure) when (failure.Line is null)
        {
            failure.Line = rendering.Line;
            throw;
        }
    }
}
