export type { Clock, Timer } from './base/clock.js';
export type { LogFields, Logger } from './base/logger.js';
export type { Machine } from './base/machine.js';
export type { Random } from './base/random.js';
export { Broker, type BrokerOptions, type StorageOptions } from './broker.js';
export type {
  Policy,
  PolicyDefinition,
  PolicyList,
  PolicyRequest,
  PolicyTarget,
} from './core/policy/policy.js';
export type { Authenticator, LoginFailure, User } from './core/ports.js';
export { Refusal, type RefusalReason } from './core/refusal.js';
export type { DelayedControl, DelayedMessage, DelayedQuery } from './delayed-control.js';
export { CONNECTION_LIMITS, type ConnectionLimits } from './protocols/amqp091/limits.js';
export {
  SERVER_PROPERTIES,
  type ServerProperties,
} from './protocols/amqp091/opening/server-properties.js';
export { type RunningBroker, type StartOptions, startBroker } from './start-broker.js';
export { DirectoryInUseError } from './store/disk/directory-lock.js';
export type { DiskFile, Files, OpenOptions } from './store/disk/files.js';
export type { SyncPolicy } from './store/journal/journal-file.js';
export {
  DamagedJournalError,
  ForeignDirectoryError,
  NewerFormatError,
} from './store/journal/journal-format.js';
export type { VirtualHostControl } from './virtual-host-control.js';
