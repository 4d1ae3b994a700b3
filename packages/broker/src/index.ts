export type {
  NewUser,
  NewVhost,
  PermissionSettings,
  UserSettings,
  VhostSettings,
} from './access-settings.js';
export type {
  PermissionRecord,
  TopicPermissionRecord,
  UserLimits,
  UserRecord,
  VhostLimits,
  VhostRecord,
} from './auth/access-change.js';
export {
  HASHING_ALGORITHMS,
  type HashingAlgorithm,
  NO_PASSWORD,
  type PasswordHash,
} from './auth/password-hash.js';
export type { PermissionFilter } from './auth/permissions.js';
export type { Clock, Timer } from './base/clock.js';
export type { LogFields, Logger } from './base/logger.js';
export type { Machine } from './base/machine.js';
export type { Random } from './base/random.js';
export { Broker, type LoginCounts } from './broker.js';
export type { BrokerOptions, StorageOptions } from './broker-options.js';
export { type CertificateName, certificateUser } from './certificate-user.js';
export { ALTERNATIVE_NAME_TYPES, type AlternativeNameType } from './certificates/certificate.js';
export type { DelayedControl, DelayedMessage, DelayedQuery } from './control/delayed-control.js';
export type { ExplainRequest } from './control/explain-publish.js';
export type { VirtualHostControl } from './control/virtual-host-control.js';
export type { DeduplicationCount } from './core/deduplication/deduplication.js';
export type {
  BindingExplanation,
  DeadLetterExplanation,
  ExchangeExplanation,
  Explanation,
  PartVerdict,
  QueueExplanation,
  UnroutableMessage,
  Verdict,
} from './core/explain/explanation.js';
export { explanationText } from './core/explain/explanation-text.js';
export type {
  Policy,
  PolicyDefinition,
  PolicyList,
  PolicyRequest,
  PolicyTarget,
} from './core/policy/policy.js';
export type {
  Access,
  Authenticator,
  Authorizer,
  LoginAttempt,
  LoginFailure,
  Permission,
  Unproved,
  User,
} from './core/ports.js';
export { Refusal, type RefusalReason } from './core/refusal.js';
export { type BrokerLimits, DEFAULT_LIMITS, limitsOf } from './limits.js';
export type {
  TlsCredentials,
  TlsIdentity,
  TlsOptions,
  TlsVersion,
} from './listening/tls-listener.js';
export {
  SERVER_PROPERTIES,
  type ServerProperties,
} from './protocols/amqp091/opening/server-properties.js';
export type { DefaultUser, RealmOptions } from './realm.js';
export { type RunningBroker, type StartOptions, startBroker } from './start-broker.js';
export { DirectoryInUseError } from './store/disk/directory-lock.js';
export type { DiskFile, Files, OpenOptions } from './store/disk/files.js';
export { nodeFiles } from './store/disk/node-files.js';
export type { SyncPolicy } from './store/journal/journal-file.js';
export {
  DamagedJournalError,
  ForeignDirectoryError,
  NewerFormatError,
} from './store/journal/journal-format.js';
