import { encodeFrame, frameEnd, frameOverhead } from '../wire/frame.js';
import type { SeededRandom } from '../wire/seeded-random.js';
import { fieldEntry } from './fuzz-stream.js';

/** Inputs do not grow for ever. */
const INPUT_BYTES_MAX = 4_096;

/** The letters of field types. */
const FIELD_TYPES = Buffer.from('tbBsuIilLfdDSxTAFV');

/** Octets where something begins, ends or is the largest. */
const TELLING_OCTETS = [0, 1, 2, 4, 8, 0x7f, 0x80, 0xff, frameEnd, ...FIELD_TYPES];
const TELLING_NUMBERS = [0, 1, 4, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x10_0000];

type Operation = (random: SeededRandom, input: Buffer, other: Buffer) => Buffer;

/** Changes octets wherever they stand, knowing a little of how AMQP writes lengths and fields. */
export function mutateOctets(random: SeededRandom, input: Buffer, other: Buffer): Buffer {
  let changed = input;
  for (let times = 1 + random.below(3); times > 0; times--) {
    changed = random.pick(OPERATIONS)(random, changed, other);
  }
  return changed.subarray(0, INPUT_BYTES_MAX);
}

const OPERATIONS: readonly Operation[] = [
  (random, input) => withOctet(input, random.below(input.length + 1), random.below(256)),
  (random, input) => {
    return withOctet(input, random.below(input.length + 1), random.pick(TELLING_OCTETS));
  },
  // A field of another type.
  (random, input) => {
    const from = random.below(input.length + 1);
    const at = input.findIndex((octet, index) => index >= from && FIELD_TYPES.includes(octet));
    return withOctet(input, at < 0 ? from : at, FIELD_TYPES[random.below(FIELD_TYPES.length)]!);
  },
  // A little more or less: most octets are lengths, or the lowest ones of a length.
  (random, input) => {
    const at = random.below(input.length + 1);
    return withOctet(input, at, (input[at] ?? 0) + random.below(9) - 4);
  },
  (random, input) => {
    const at = random.below(input.length + 1);
    return withOctet(input, at, (input[at] ?? 0) ^ (1 << random.below(8)));
  },
  (random, input) =>
    splice(input, random.below(input.length + 1), 0, random.bytes(random.below(9))),
  (random, input) =>
    splice(input, random.below(input.length + 1), random.below(9), Buffer.alloc(0)),
  (random, input) => splice(input, random.below(input.length + 1), 0, piece(random, input)),
  (random, input, other) => splice(input, random.below(input.length + 1), 0, piece(random, other)),
  (random, input, other) => {
    const head = input.subarray(0, random.below(input.length + 1));
    return Buffer.concat([head, other.subarray(random.below(other.length + 1))]);
  },
  (random, input) => splice(input, random.below(input.length + 1), 0, fieldEntry(random)),
  (random, input) => withLength(input, random, random.pick(TELLING_NUMBERS)),
  // A length that is right, for what goes to the end.
  (random, input) => {
    const at = random.below(input.length + 1);
    return withNumber(input, at, Math.max(0, input.length - at - 4 - random.below(3)));
  },
];

/** Changes frames and what is in them; seldom what frames are made of. */
export function mutateFrames(random: SeededRandom, input: Buffer, other: Buffer): Buffer {
  if (random.percent(10)) return mutateOctets(random, input, other);
  const { head, frames } = framesOf(input);
  const others = framesOf(other).frames;
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(frames.length + 1);
    const frame = frames[at];
    switch (random.below(6)) {
      case 0:
        frames.splice(at, 1);
        break;
      case 1:
        if (others.length > 0) frames.splice(at, 0, random.pick(others));
        break;
      case 2:
        if (frame !== undefined) frames.splice(random.below(frames.length), 0, frame);
        break;
      default:
        if (frame !== undefined) frames[at] = changedFrame(random, frame, others);
    }
  }
  return Buffer.concat([head, ...frames]).subarray(0, INPUT_BYTES_MAX);
}

/** Another payload, mostly, in a frame that is whole again. */
function changedFrame(random: SeededRandom, frame: Buffer, others: readonly Buffer[]): Buffer {
  const payload = frame.subarray(7, -1);
  const other = others.length > 0 ? random.pick(others) : frame;
  const type = random.percent(95) ? frame.readUInt8(0) : random.pick([0, 1, 2, 3, 4, 8, 255]);
  const channel = random.percent(90) ? frame.readUInt16BE(1) : random.pick([0, 1, 2, 0xffff]);
  return encodeFrame(type, channel, mutateOctets(random, payload, other.subarray(7, -1)));
}

/** The frames in a stream, and what stands before them: a protocol header, or nothing. */
function framesOf(input: Buffer): { head: Buffer; frames: Buffer[] } {
  const hasHeader = input.toString('latin1', 0, 4) === 'AMQP';
  const head = input.subarray(0, hasHeader ? 8 : 0);
  const frames: Buffer[] = [];
  for (let at = head.length; input.length - at >= frameOverhead; ) {
    const end = at + frameOverhead + input.readUInt32BE(at + 3);
    if (end > input.length) break;
    frames.push(input.subarray(at, end));
    at = end;
  }
  return { head, frames };
}

function piece(random: SeededRandom, input: Buffer): Buffer {
  const start = random.below(input.length + 1);
  return input.subarray(start, start + random.below(65));
}

function splice(input: Buffer, at: number, remove: number, insert: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, at), insert, input.subarray(at + remove)]);
}

function withOctet(input: Buffer, at: number, octet: number): Buffer {
  const changed = Buffer.from(input);
  if (at < changed.length) changed[at] = octet;
  return changed;
}

function withLength(input: Buffer, random: SeededRandom, value: number): Buffer {
  const at = random.below(input.length + 1);
  if (random.percent(70)) return withNumber(input, at, value);
  const changed = Buffer.from(input);
  if (at + 2 <= changed.length) changed.writeUInt16BE(value & 0xffff, at);
  return changed;
}

function withNumber(input: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(input);
  if (at + 4 <= changed.length) changed.writeUInt32BE(value, at);
  return changed;
}
