using OpenHearth.Engine;
using OpenHearth.Engine.Templates;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Cli.Models;

/// <summary>A model's chat template and the tokens that it writes out; no weights are loaded.</summary>
/// <param name="Template">The template, or null where the model has none.</param>
/// <param name="BosToken">Text of the token that begins a sequence.</param>
/// <param name="EosToken">Text of the token that ends a sequence.</param>
internal sealed record ModelTemplate(ChatTemplate? Template, string? BosToken, string? EosToken)
{
    /// <summary>Reads what the files of a model say.</summary>
    public static ModelTemplate Read(string path)
    {
        var source = ModelCard.Read(path).ChatTemplate;
        var tokenizer = ModelTokenizer.Open(path);
        return new ModelTemplate(source is null ? null : ChatTemplate.Parse(source), Piece(tokenizer, tokenizer.BosId), Piece(tokenizer, tokenizer.EosId));
    }

    private static string? Piece(Tokenizer tokenizer, int? id) => id is { } token ? tokenizer.Piece(token) : null;
}
