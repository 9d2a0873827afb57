using System.Text.Json;
using OpenHearth.Engine.Files;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>What the post-processor of a tokenizer.json puts around one text, and whether it trims offsets.</summary>
internal sealed class JsonPostProcessors
{
    private readonly int _count;

    /// <param name="processor">The field <c>post_processor</c>.</param>
    /// <param name="count">Number of tokens.</param>
    /// <exception cref="ModelFormatException">It is damaged or not known.</exception>
    public JsonPostProcessors(JsonElement? processor, int count)
    {
        _count = count;
        foreach (var step in JsonFields.Flatten(processor, "processors"))
            Add(step);
    }

    /// <summary>Ids before a text.</summary>
    public List<int> Prefix { get; } = [];

    /// <summary>Ids behind it.</summary>
    public List<int> Suffix { get; } = [];

    /// <summary>Spans leave out spaces at their ends.</summary>
    public bool TrimsOffsets { get; private set; }

    private void Add(JsonElement step)
    {
        switch (step.FindText("type"))
        {
            case "TemplateProcessing":
                AddTemplate(step);
                break;
            case "BertProcessing":
            case "RobertaProcessing":
                Prefix.Add(Pair(step, "cls"));
                Suffix.Add(Pair(step, "sep"));
                TrimsOffsets |= step.FindText("type") == "RobertaProcessing" && step.FindFlag("trim_offsets", true);
                break;
            case "ByteLevel":
                TrimsOffsets |= step.FindFlag("trim_offsets", true);
                break;
            case var type:
                throw JsonFields.Unknown("post_processor", type);
        }
    }

    private void AddTemplate(JsonElement step)
    {
        var into = Prefix;
        var tokens = step.Require("special_tokens");
        foreach (var part in step.FindAll("single"))
        {
            if (part.Find("Sequence") is not null)
            {
                into = Suffix;
                continue;
            }
            foreach (var id in tokens.Require(part.Require("SpecialToken").RequireText("id")).FindAll("ids"))
                into.Add(Checked(id));
        }
    }

    private int Pair(JsonElement step, string name) =>
        step.FindAll(name).ToArray() is [_, var id] ? Checked(id) : throw JsonFields.Wrong(name, "a token and its id");

    private int Checked(JsonElement id) => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out var number) && number >= 0 && number < _count
        ? number
        : throw new ModelFormatException($"post_processor: there is no token {id.GetRawText()[..Math.Min(20, id.GetRawText().Length)]}; the vocabulary has {_count}.");
}
