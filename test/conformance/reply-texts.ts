/** RabbitMQ's longer reply texts, without the name of the code before them. */

/** 405, about an exclusive queue of another connection. */
export function lockedQueue(queue: string): string {
  return truncated(
    `cannot obtain exclusive access to locked queue '${queue}' in vhost '/'. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.`,
    'RESOURCE_LOCKED',
  );
}

/** A reply text is a short string: what would be longer ends in three dots. */
function truncated(text: string, name: string): string {
  const room = 255 - `${name} - `.length;
  return text.length > room ? `${text.slice(0, room - 3)}...` : text;
}
