namespace OpenHearth.Engine.Embeddings;

/// <summary>How the hidden states of a text's tokens become one vector.</summary>
public enum Pooling
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>That of the first token, which BERT calls [CLS].</summary>
    Cls,

    /// <summary>That of the last token.</summary>
    Last,
}
