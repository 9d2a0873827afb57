using OpenHearth.Engine.Generation;
using OpenHearth.Engine.Sampling;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Generation;

public sealed class EndOfTurnTests
{
    private const string Head = "{% for m in messages %}{{ m.role }}: {{ m.content }}";

    [Theory]
    [InlineData("<|im_end|>\n{% endfor %}", "<|im_end|>")]
    [InlineData(" <repo_name>\n{% endfor %}", "<repo_name>")]
    [InlineData("\n{% endfor %}", null)]
    [InlineData(".<|im_end|>{% endfor %}", null)]
    [InlineData("{% endfor %}{{ raise_exception('no') }}", null)]
    public void Find_OfATemplate_IsTheTokenBehindTheAnswer(string tail, string? expected)
    {
        var id = EndOfTurn.Find(ChatTemplate.Parse(Head + tail), ScriptedSequence.Tokenizer, new TemplateOptions());
        Assert.Equal(expected, id is { } token ? ScriptedSequence.Tokenizer.Piece(token) : null);
    }

    [Fact]
    public void Find_OfATemplateWithoutTheAnswer_IsNothing() =>
        Assert.Null(EndOfTurn.Find(ChatTemplate.Parse("hello<|im_end|>"), ScriptedSequence.Tokenizer, new TemplateOptions()));

    [Fact]
    public void Reply_OfAModelWithItsOwnEnd_EndsThere()
    {
        var template = ChatTemplate.Parse(Head + "<repo_name>{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}");
        using var chat = new Chat(template, ScriptedSequence.Tokenizer, ScriptedSequence.Saying(" yes<repo_name>user: and on it goes"));
        var reply = chat.Reply("well?", new GenerationOptions { Sampling = SamplingOptions.Greedy }, null, TestContext.Current.CancellationToken);
        Assert.Equal((" yes", FinishReason.Stop), (reply.Result.Text, reply.Result.FinishReason));
    }
}
