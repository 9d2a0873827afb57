using System.Text.Json.Nodes;

namespace OpenHearth.Engine.Templates;

/// <summary>One plain message of a chat.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c> or another role that the template knows.</param>
/// <param name="Content">The text.</param>
public sealed record ChatTurn(string Role, string Content)
{
    /// <summary>The message as templates see it.</summary>
    public JsonObject ToJson() => new() { ["role"] = Role, ["content"] = Content };
}

/// <summary>
/// A chat on its way to a prompt: what a template sees as variables. Messages, tools and documents are passed on as they
/// are. Not thread-safe while it is being filled.
/// </summary>
public sealed class ChatPrompt
{
    /// <summary>Makes a prompt of no messages.</summary>
    public ChatPrompt()
    {
    }

    /// <summary>Makes a prompt of plain messages.</summary>
    public ChatPrompt(IEnumerable<ChatTurn> turns)
    {
        ArgumentNullException.ThrowIfNull(turns);
        foreach (var turn in turns)
            Messages.Add(turn.ToJson());
    }

    /// <summary>The messages, oldest first; an item may hold whatever the template reads (<c>tool_calls</c>, parts, …).</summary>
    public JsonArray Messages { get; init; } = [];

    /// <summary>The tools that the model may call, as JSON Schema functions; null where there are none.</summary>
    public JsonArray? Tools { get; init; }

    /// <summary>Documents to answer from; null where there are none.</summary>
    public JsonArray? Documents { get; init; }

    /// <summary>The text of the token that begins a sequence; null where the model has none.</summary>
    public string? BosToken { get; init; }

    /// <summary>The text of the token that ends a sequence; null where the model has none.</summary>
    public string? EosToken { get; init; }

    /// <summary>True to end with the head of the assistant's answer.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>Further variables (<c>enable_thinking</c>, <c>date_string</c>, …); they win over the ones above.</summary>
    public JsonObject? Variables { get; init; }

    /// <summary>Everything that the template sees.</summary>
    public JsonObject ToVariables()
    {
        var variables = new JsonObject
        {
            ["messages"] = Messages.DeepClone(),
            ["tools"] = Tools?.DeepClone(),
            ["documents"] = Documents?.DeepClone(),
            ["add_generation_prompt"] = AddGenerationPrompt,
        };
        if (BosToken is not null)
            variables["bos_token"] = BosToken;
        if (EosToken is not null)
            variables["eos_token"] = EosToken;
        foreach (var (name, value) in Variables ?? [])
            variables[name] = value?.DeepClone();
        return variables;
    }

    /// <summary>The prompt's text.</summary>
    /// <exception cref="TemplateException">The template failed or refused the messages (kind raised).</exception>
    public RenderedTemplate Render(ChatTemplate template, TemplateOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(template);
        return template.Render(ToVariables(), options);
    }
}
