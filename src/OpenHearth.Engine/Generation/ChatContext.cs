using OpenHearth.Engine.Templates;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Generation;

/// <summary>Ids of a chat that fit the context, and how many of its oldest turns had to stay out.</summary>
internal readonly record struct FittedChat(int[] Ids, int DroppedTurns);

/// <summary>
/// Turns a chat into the ids of a prompt that leaves room for an answer. A turn is a user's message with all that
/// follows it up to the next; the oldest go first, whole. System messages always stay, and so does the last turn.
/// </summary>
internal sealed class ChatContext(ChatTemplate template, Tokenizer tokenizer, TemplateOptions templateOptions, int contextLength)
{
    /// <summary>An answer gets this part of the context, or what it may need at most where that is less.</summary>
    private const int AnswerShare = 4;

    /// <summary>
    /// Once turns must go, the prompt shrinks to this part: the next turns then find room, and the session what it
    /// holds, before the beginning moves again.
    /// </summary>
    private const int ShrunkShare = 2;

    /// <summary>The ids of the messages, without at least <paramref name="droppedBefore"/> turns.</summary>
    /// <exception cref="ContextOverflowException">The system messages and the last turn alone are too long.</exception>
    /// <exception cref="TemplateException">The template refuses the messages.</exception>
    public FittedChat Fit(IReadOnlyList<ChatTurn> messages, int? maxTokens, int droppedBefore = 0)
    {
        var most = Math.Max(0, messages.Count(message => message.Role == "user") - 1);
        var dropped = Math.Min(droppedBefore, most);
        var ids = Encode(messages, dropped);
        var room = contextLength / AnswerShare;
        if (ids.Length <= contextLength - Math.Min(maxTokens ?? room, room))
            return new(Checked(ids), dropped);
        // The fewest turns that shrink it enough; all but the last where nothing does.
        var (low, high) = (dropped, most);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Encode(messages, middle).Length <= contextLength / ShrunkShare)
                high = middle;
            else
                low = middle + 1;
        }
        return new(Checked(Encode(messages, low)), low);
    }

    /// <summary>Messages with what templates want to know of a tokenizer.</summary>
    public static ChatPrompt Prompt(IEnumerable<ChatTurn> messages, Tokenizer tokenizer, bool addGenerationPrompt) => new(messages)
    {
        BosToken = tokenizer.BosId is { } bos ? tokenizer.Piece(bos) : null,
        EosToken = tokenizer.EosId is { } eos ? tokenizer.Piece(eos) : null,
        AddGenerationPrompt = addGenerationPrompt,
    };

    private int[] Checked(int[] ids) => ids.Length < contextLength ? ids : throw Generator.Overflow(ids.Length, contextLength);

    private int[] Encode(IReadOnlyList<ChatTurn> messages, int dropped)
    {
        // Only those who run the program, and the model itself, may write a template's marks.
        var marked = Without(messages, dropped).Select(message => message.Role is "system" or "developer" or "assistant"
            ? message : message with { Content = UserText.Mark(tokenizer, message.Content) });
        var prompt = Prompt(marked, tokenizer, addGenerationPrompt: true);
        var ids = UserText.Encode(tokenizer, prompt.Render(template, templateOptions).Text);
        // Some templates leave the token that begins a text to the tokenizer.
        return tokenizer is { AddBos: true, BosId: { } bos } && (ids.Length == 0 || ids[0] != bos) ? [bos, .. ids] : ids;
    }

    private static IEnumerable<ChatTurn> Without(IReadOnlyList<ChatTurn> messages, int turns)
    {
        var turn = -1;
        foreach (var message in messages)
        {
            turn += message.Role == "user" ? 1 : 0;
            // What precedes the first user's message goes with the first turn.
            if (Math.Max(turn, 0) >= turns || message.Role is "system" or "developer")
                yield return message;
        }
    }
}
