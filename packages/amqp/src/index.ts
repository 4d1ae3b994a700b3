// The protocol's numbers and tables
export * from './constants.js';
// The message path
export { ContentHeader } from './content-header.js';
// Errors
export {
  AmqpError,
  channelError,
  connectionError,
  DecodeError,
  EncodeError,
  MalformedUtf8Error,
  type MethodId,
  UnknownMethodError,
} from './errors.js';
export {
  type Decimal,
  type FieldTable,
  type FieldValue,
  fieldTypeName,
  sameFieldValue,
  TABLE_LIMITS,
  type TableLimits,
} from './field-table.js';
export { decodeTable, encodeTable } from './field-table-codec.js';
export { encodeBodyFrames, encodeContentHeaderFrame, encodeMethodFrame } from './frame-encoder.js';
export { type FrameFault, FrameReader, type FrameSink } from './frame-reader.js';
export {
  FrameWriter,
  OUTPUT_BUFFER_BYTES,
  type TakeBuffer,
  type WriteOut,
} from './frame-writer.js';
// Methods, properties, frames
export { decodeMethod, encodeMethod } from './method-codec.js';
export {
  type FieldType,
  METHOD_ROWS,
  METHODS,
  type MethodName,
  type MethodRow,
} from './methods.js';
export { fromFieldTable, toFieldTable } from './plain-table.js';
export {
  type BasicProperties,
  decodeHeaders,
  decodeProperties,
  encodeProperties,
} from './properties.js';
export type { DecodedMethod, FieldTypes, MethodArguments, MethodInput } from './types.js';
// Strings and field tables
export { fromWire, isUtf8, toWire } from './wire-string.js';
