/** The sizes tidy holds files, functions and folders to. */
export const limits = {
  /** Beyond this a file is told to split; a warning. */
  fileLinesWarn: 400,
  /** Beyond this the run fails. */
  fileLinesMax: 500,
  functionLinesMax: 70,
  lineColumnsMax: 100,
  /** Source files directly in one folder; tests are not counted. */
  folderFilesMax: 15,
  /** How many lines below its ratchet a thing may fall before the ratchet must be lowered. */
  ratchetSlackLines: 30,
} as const;
