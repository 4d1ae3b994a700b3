import { isIPv6 } from 'node:net';
import {
  DamagedJournalError,
  DirectoryInUseError,
  ForeignDirectoryError,
  NewerFormatError,
} from '@leveret/broker';

/**
 * Why the server did not start, told to the operator in one line that says what to do. Everything
 * else that is thrown during the start is a bug and keeps its stack.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Why a broker did not start, in words, or the error itself if it is of another kind. */
export function explainStartFailure(error: unknown, dataDir = ''): unknown {
  if (error instanceof DirectoryInUseError) {
    return new StartError(`${error.message}. Stop it or choose another with --data-dir.`);
  }
  if (error instanceof NewerFormatError) {
    return new StartError(
      `cannot read the data directory ${dataDir}: ${error.message}. ` +
        'Start the newer Leveret or choose another with --data-dir.',
    );
  }
  if (error instanceof DamagedJournalError || error instanceof ForeignDirectoryError) {
    return new StartError(`${error.message}.`);
  }
  if (!isSystemError(error)) return error;
  if (error.code.startsWith('ERR_OSSL_')) {
    return new StartError(
      `cannot serve TLS: ${error.message}. Check --tls-cert, --tls-key, --tls-ca and --tls-crl.`,
    );
  }
  return isOfDisk(error, dataDir)
    ? explainDiskFailure(error, dataDir)
    : explainListenFailure(error);
}

/** Calls on a file that is open: their errors name no path. */
const FILE_CALLS: readonly (string | undefined)[] = ['read', 'write', 'fsync', 'fdatasync'];

/** Whether a call failed in the data directory; its lock is a socket, by a short name for it. */
function isOfDisk({ syscall, path, address }: SystemError, dataDir: string): boolean {
  if (dataDir === '') return false;
  const where = path ?? address ?? '';
  return (
    where.startsWith(dataDir) || where.startsWith('/proc/self/fd/') || FILE_CALLS.includes(syscall)
  );
}

const DISK_FAILURES: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no room left. Free some, or',
  EDQUOT: 'there is no room left. Free some, or',
  EROFS: 'its file system is read-only. Make it writable, or',
  EACCES: 'permission denied. Give it to this user, or',
  EPERM: 'its file system does not permit what is needed. Please',
  ENOTSUP: 'its file system does not have what is needed. Please',
  EOPNOTSUPP: 'its file system does not have what is needed. Please',
};

function explainDiskFailure({ code, message }: SystemError, dataDir: string): StartError {
  const advice = DISK_FAILURES[code] ?? `${message}. Repair it, or`;
  return new StartError(
    `cannot use the data directory ${dataDir}: ${advice} choose another with --data-dir.`,
  );
}

function explainListenFailure(error: SystemError): unknown {
  const where = placeOf(error);
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(
        `cannot listen on ${where}: the port is in use. ` +
          'Stop the other program or choose another with --port.',
      );
    case 'EACCES':
      return new StartError(
        `cannot listen on ${where}: not permitted. ` +
          'Ports below 1024 need privileges; choose another with --port.',
      );
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return new StartError(
        `cannot listen on ${where}: this machine has no such address. ` +
          'Give one of its own with --bind.',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StartError(
        `cannot listen on ${error.hostname ?? where}: the name has no address. ` +
          'Give an IP address with --bind.',
      );
    default:
      return error.syscall === 'listen'
        ? new StartError(`cannot listen on ${where}: ${error.code}. See --bind and --port.`)
        : error;
  }
}

/** What Node adds to the errors of system calls. */
export interface SystemError extends Error {
  readonly code: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly path?: string;
}

export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** `127.0.0.1:5672` or `[::1]:5672`. */
function placeOf({ address = 'the address', port }: SystemError): string {
  const host = isIPv6(address) ? `[${address}]` : address;
  return port === undefined || port < 0 ? host : `${host}:${port}`;
}
