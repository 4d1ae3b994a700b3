import type { Machine } from '../base/machine.js';

/** How much of messages may be in memory. */
export interface MessagesInMemory {
  readonly bytes: number;
  readonly messages: number;
}

/** What a message takes in Node.js's heap, in octets: the object, and its place in a queue. */
const MESSAGE_OBJECT_BYTES = 192;

/** Share of the memory that messages' bytes may take before publishers have to wait. */
const ALARM_MEMORY_SHARE = 0.6;

/** Shares of the heap their objects may take before queues page out, and before publishers wait. */
const PAGING_HEAP_SHARE = 0.3;
const ALARM_HEAP_SHARE = 0.5;

/** How many messages may be in memory before queues keep only their heads there. */
export function pagingMessagesMax(machine: Machine): number {
  return Math.floor((machine.heapBytes() * PAGING_HEAP_SHARE) / MESSAGE_OBJECT_BYTES);
}

/** What may be in memory before publishers have to wait. */
export function alarmLimits(machine: Machine): MessagesInMemory {
  return {
    bytes: Math.floor(machine.memoryBytes() * ALARM_MEMORY_SHARE),
    messages: Math.floor((machine.heapBytes() * ALARM_HEAP_SHARE) / MESSAGE_OBJECT_BYTES),
  };
}
