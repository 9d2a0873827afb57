using OpenHearth.Engine.Templates;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Generation;

/// <summary>
/// The token that a chat template puts behind what the assistant says. Where a file names another token as its end of
/// text, an answer would go on past its turn without this one.
/// </summary>
internal static class EndOfTurn
{
    private const string Answer = "unmistakable";

    /// <summary>The token, or null where the template puts none or refuses the smallest of conversations.</summary>
    public static int? Find(ChatTemplate template, Tokenizer tokenizer, TemplateOptions options)
    {
        string text;
        try
        {
            text = ChatContext.Prompt([new("user", "Say it."), new("assistant", Answer)], tokenizer, addGenerationPrompt: false).Render(template, options).Text;
        }
        catch (TemplateException)
        {
            return null;
        }
        var at = text.LastIndexOf(Answer, StringComparison.Ordinal);
        if (at < 0)
            return null;
        foreach (var id in tokenizer.Encode(text[(at + Answer.Length)..], addSpecial: false, parseSpecial: true))
        {
            if (tokenizer.IsSpecial(id))
                return id;
            if (!string.IsNullOrWhiteSpace(tokenizer.Decode([id])))
                return null;
        }
        return null;
    }
}
