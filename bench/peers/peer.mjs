// llama.cpp, as the npm package node-llama-cpp brings it, behind a line protocol on stdin and stdout:
//   load PATH CTX THREADS CACHE → {"load_ms", "build"}, keys and values in F16, or attention in F32
//   prefill N               → {"ms"}        N tokens from an empty context, in batches of 512
//   decode N DEPTH          → {"ms"}        N tokens, one by one, after DEPTH tokens of context, which are kept for the next decode
//   batch N B               → {"ms"}        N steps of B tokens each, evaluated as one batch
//   vector ID,ID,…          → {"vector"}    of a text of these tokens, by an encoder
//   logits ID,ID,…          → {"logits"}    of every token after these, which follow those of the calls before
//   exit
import {createInterface} from "node:readline";
import {getLlama} from "node-llama-cpp";

let model, context, sequence;
let filled = 0; // tokens that the context begins with, left there by the last decode

const id = (i) => 300 + ((i * 7919) % 20000);
const ids = (n, from = 0) => Array.from({length: n}, (_, i) => id(from + i));
// The last token asks for the next one, greedily: without that, llama.cpp would skip the output matrix.
const asking = (tokens) => tokens.map((token, i) =>
    i < tokens.length - 1 ? token : [token, {generateNext: {token: true, options: {temperature: 0}}}]);
const now = () => Number(process.hrtime.bigint()) / 1e6;

async function load(path, contextSize, threads, cache) {
    const llama = await getLlama({gpu: false, build: "never", maxThreads: threads, logLevel: "error", usePrebuiltBinaries: true});
    const start = now();
    model = await llama.loadModel({modelPath: path, gpuLayers: 0, ...cache === "F32" && {defaultContextFlashAttention: false}}); // which computes in F16
    context = await model.createContext({contextSize, batchSize: 512, threads, sequences: 1, experimentalKvCacheKeyType: cache, experimentalKvCacheValueType: cache});
    sequence = context.getSequence();
    return {load_ms: now() - start, build: llama.systemInfo.trim()};
}

async function prefill(count) {
    filled = 0;
    await sequence.clearHistory();
    const tokens = ids(count);
    const start = now();
    await sequence.controlledEvaluate(asking(tokens));
    return {ms: now() - start};
}

async function decode(count, depth) {
    if (depth > 0 && filled === depth)
        await sequence.eraseContextTokenRanges([{start: depth, end: sequence.nextTokenIndex}]);
    else
        await sequence.clearHistory();
    if (depth > 0 && filled !== depth)
        await sequence.evaluateWithoutGeneratingNewTokens(ids(depth));
    filled = depth;
    if (sequence.nextTokenIndex !== depth)
        throw new Error(`${sequence.nextTokenIndex} tokens in the context instead of ${depth}`);
    // Fed one at a time, so that both engines see the same ids.
    const tokens = ids(count, depth);
    const start = now();
    for (const token of tokens)
        await sequence.controlledEvaluate(asking([token]));
    return {ms: now() - start};
}

async function batch(count, rows) {
    filled = 0;
    await sequence.clearHistory();
    const start = now();
    for (let i = 0; i < count; i++)
        await sequence.controlledEvaluate(ids(rows, i * rows).map((token) => [token, {generateNext: {token: true, options: {temperature: 0}}}]));
    return {ms: now() - start};
}

async function logits(ids) {
    // A temperature of 0 would leave one of them.
    const asked = {generateNext: {token: true, logits: true, options: {temperature: 1, topK: 0, topP: 1, minP: 0}}};
    const answers = await sequence.controlledEvaluate(ids.map((token, i) => i < ids.length - 1 ? token : [token, asked]));
    const values = [];
    for (const [token, value] of answers.at(-1).next.logits)
        values[token] = value;
    return {logits: values};
}

async function vector(ids) {
    const encoder = await model.createEmbeddingContext({contextSize: 256, batchSize: 256, threads: 2});
    return {vector: [...(await encoder.getEmbeddingFor(ids)).vector]};
}

for await (const line of createInterface({input: process.stdin})) {
    const [verb, ...rest] = line.trim().split(" ");
    if (verb === "exit")
        break;
    try {
        const answer = verb === "load" ? await load(rest.slice(0, -3).join(" "), Number(rest.at(-3)), Number(rest.at(-2)), rest.at(-1))
            : verb === "prefill" ? await prefill(Number(rest[0]))
            : verb === "decode" ? await decode(Number(rest[0]), Number(rest[1]))
            : verb === "batch" ? await batch(Number(rest[0]), Number(rest[1]))
            : verb === "vector" ? await vector(rest[0].split(",").map(Number))
            : verb === "logits" ? await logits(rest[0].split(",").map(Number))
            : {error: `unknown verb ${verb}`};
        console.log(JSON.stringify(answer));
    } catch (error) {
        console.log(JSON.stringify({error: String(error)}));
    }
}
process.exit(0);
