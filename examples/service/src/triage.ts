import { isStorageError, type SbiId, type Storage, type StoredSbi } from '@deespec/domain';

/**
 * Moves an item up and says why, as one unit: both changes are made or none. Somebody else may change the item in between; then
 * the unit is run again on what is there by now.
 */
export async function escalate(storage: Storage, id: SbiId, reason: string): Promise<StoredSbi> {
  for (;;) {
    try {
      return await storage.transaction(async (tx) => {
        const sbi = await tx.getSbi(id);
        const labels = (sbi.label ?? '').split(',').filter((label) => label !== '' && label !== 'urgent');
        const raised = await tx.updateSbi(sbi, { priority: 1, label: [...labels, 'urgent'].join(',') });
        await tx.createSbi({ title: `Find out why ${id} is urgent`, spec: `# Why\n\n${reason}\n` });
        return raised;
      });
    } catch (error) {
      const isStale = isStorageError(error, 'TRANSACTION.CHANGED') || isStorageError(error, 'SBI.CHANGED');
      if (!isStale) throw error;
    }
  }
}
