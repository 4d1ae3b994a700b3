import { launch } from './launcher.js';
import { openFilesMax } from './open-files.js';

// A reader of our output that goes away must not take the broker with it.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const exitCode = await launch({
  args: process.argv.slice(2),
  environment: process.env,
  nodeVersion: process.version,
  openFilesMax: openFilesMax(),
  // A number so large that no machine has it stands for no limit.
  memoryLimitBytes: process.constrainedMemory() ?? 0,
  stdout: process.stdout,
  stderr: process.stderr,
  onStopSignal: (listener) => {
    process.on('SIGTERM', listener);
    process.on('SIGINT', listener);
  },
  exit: (code) => process.exit(code),
});

// What is left running now, if anything, is of no use to anybody.
process.exit(exitCode);
