/** A body that says which message it is, and whose every octet follows from that. */
export function bodyOf(id: number, bytes: number): Buffer {
  const body = Buffer.alloc(4 + bytes);
  body.writeUInt32BE(id, 0);
  for (let i = 0; i < bytes; i++) body[4 + i] = (id * 31 + i * 7) & 0xff;
  return body;
}

/** The message a body says it is. Throws if any octet of it is not as it was published. */
export function idOf(body: Buffer): number {
  const id = body.length < 4 ? -1 : body.readUInt32BE(0);
  if (id < 0 || !bodyOf(id, body.length - 4).equals(body)) {
    throw new Error(`a body that was never published: ${body.toString('hex', 0, 32)}…`);
  }
  return id;
}
