/**
 * Takes the 16 kHz weights of Silero VAD v6 out of the ONNX file in the dev dependency @ricky0123/vad-web and
 * writes them to src/vad/silero-v6.bin, in the layout that src/vad/silero-weights.ts reads.
 *
 *     node scripts/extract-silero.mjs [output file]
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MODEL = new URL('../node_modules/@ricky0123/vad-web/dist/silero_vad_v6.onnx', import.meta.url);
const MODEL_SHA256 = '1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3';
const OUTPUT = new URL('../src/vad/silero-v6.bin', import.meta.url);

/** The branch of the graph's `If` that holds the 16 kHz network; the other one holds the 8 kHz network. */
const BRANCH_16_KHZ = 'then_branch';

/** Field numbers of onnx.proto3, for the few messages on the way to the weights. */
const FIELD = {
  model: { graph: 7 },
  graph: { node: 1 },
  node: { attribute: 5 },
  attribute: { name: 1, tensor: 5, graph: 6 },
  tensor: { name: 8, raw: 9 },
};

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 };

/** Yields `[field number, value]` of one protobuf message: a number for a varint, a Buffer for bytes. */
function* fieldsOf(message) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const field = Math.floor(key / 8);
    switch (key % 8) {
      case WIRE.varint:
        yield [field, varint()];
        break;
      case WIRE.bytes: {
        const length = varint();
        yield [field, message.subarray(at, at + length)];
        at += length;
        break;
      }
      case WIRE.fixed64:
        at += 8;
        break;
      case WIRE.fixed32:
        at += 4;
        break;
      default:
        throw new Error(`The model has a field of wire type ${key % 8}, which ONNX does not use.`);
    }
  }
}

function valuesOf(message, number) {
  return [...fieldsOf(message)].filter(([field]) => field === number).map(([, value]) => value);
}

/** All constant tensors of the graph's 16 kHz branch by name. */
function tensorsOf(model) {
  const tensors = new Map();
  const visit = (graph, inside) => {
    for (const node of valuesOf(graph, FIELD.graph.node)) {
      for (const attribute of valuesOf(node, FIELD.node.attribute)) {
        const [name] = valuesOf(attribute, FIELD.attribute.name);
        for (const branch of valuesOf(attribute, FIELD.attribute.graph)) {
          if (inside || name.toString() === BRANCH_16_KHZ) visit(branch, true);
        }
        for (const tensor of inside ? valuesOf(attribute, FIELD.attribute.tensor) : []) {
          const [title] = valuesOf(tensor, FIELD.tensor.name);
          const [raw] = valuesOf(tensor, FIELD.tensor.raw);
          if (title?.length > 0) tensors.set(title.toString(), floats(raw));
        }
      }
    }
  };
  for (const graph of valuesOf(model, FIELD.model.graph)) visit(graph, false);
  return tensors;
}

function floats(raw) {
  return Float32Array.from({ length: raw.length / 4 }, (_, i) => raw.readFloatLE(i * 4));
}

/** Conv1d weights `[out][in][tap]` as `[out][tap][in]`: one output is then one inner product over adjacent memory. */
function convRows(weights, inputs, taps) {
  return weights.map((_, i) => {
    const [row, tap, input] = [Math.floor(i / (inputs * taps)), Math.floor(i / inputs) % taps, i % inputs];
    return weights[(row * inputs + input) * taps + tap];
  });
}

/** The two matrices of an LSTM cell side by side, for an input that is followed by the hidden state. */
function lstmRows(inputWeights, hiddenWeights, size) {
  return Float32Array.from({ length: inputWeights.length * 2 }, (_, i) => {
    const [row, column] = [Math.floor(i / (2 * size)), i % (2 * size)];
    return column < size ? inputWeights[row * size + column] : hiddenWeights[row * size + column - size];
  });
}

/** The file's contents: the STFT is left out, because it is a plain Hann window and Fourier transform. */
function layOut(tensors) {
  const take = (name, length) => {
    const data = tensors.get(name);
    if (data?.length !== length)
      throw new Error(`Expected ${length} weights in ${name}, found ${data?.length}.`);
    return data;
  };
  const conv = (index, outputs, inputs) => {
    const name = `encoder.${index}.reparam_conv`;
    return [convRows(take(`${name}.weight`, outputs * inputs * 3), inputs, 3), take(`${name}.bias`, outputs)];
  };
  const hiddenBias = take('decoder.rnn.bias_hh', 512);
  return [
    ...conv(0, 128, 129),
    ...conv(1, 64, 128),
    ...conv(2, 64, 64),
    ...conv(3, 128, 64),
    lstmRows(take('decoder.rnn.weight_ih', 512 * 128), take('decoder.rnn.weight_hh', 512 * 128), 128),
    take('decoder.rnn.bias_ih', 512).map((bias, i) => bias + hiddenBias[i]),
    take('decoder.decoder.2.weight', 128),
    take('decoder.decoder.2.bias', 1),
  ];
}

function toBytes(parts) {
  const values = parts.flatMap((part) => [...part]);
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
  return bytes;
}

const model = readFileSync(MODEL);
const sha256 = createHash('sha256').update(model).digest('hex');
if (sha256 !== MODEL_SHA256) {
  throw new Error(
    `${fileURLToPath(MODEL)} has sha256 ${sha256}, expected ${MODEL_SHA256}: install the locked version.`,
  );
}
writeFileSync(process.argv[2] ?? OUTPUT, toBytes(layOut(tensorsOf(model))));
