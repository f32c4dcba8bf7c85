/** What the volumes of an archive are called: the gateway asks Hub for a place under that name, the packager writes it into the archive. */
const VOLUME = /-vol\d{3,}\.zip$/;

/** `masks-a-b.zip` and 3: `masks-a-b-vol003.zip`. At least three digits, so that names sort. */
export function archiveVolumeName(archiveName: string, volume: number): string {
  return `${archiveName.replace(/\.zip$/, "")}-vol${String(volume).padStart(3, "0")}.zip`;
}

export function isArchiveVolumeName(name: string): boolean {
  return VOLUME.test(name);
}
