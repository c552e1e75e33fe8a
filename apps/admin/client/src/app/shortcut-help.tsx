import { Kbd, Modal, Table } from '@mantine/core';

/** Every key of the app; the help shows this list. */
const keys = [
  ['/', 'Search in the list of SBIs'],
  ['j', 'Next row of the list'],
  ['k', 'Previous row of the list'],
  ['Enter', 'Open the row'],
  ['↑ ↓', 'Step to step in a timeline'],
  ['Ctrl + K', 'Go to a page or an SBI (⌘ + K on a Mac)'],
  ['?', 'This list'],
  ['Esc', 'Close a dialog'],
] as const;

/** The list of keys in a dialog; loaded when it is first asked for. */
export function ShortcutHelp({ onClose }: { readonly onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title="Keyboard" size="sm" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Key</Table.Th>
            <Table.Th>What it does</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {keys.map(([key, what]) => (
            <Table.Tr key={key}>
              <Table.Td>
                <Kbd size="xs">{key}</Kbd>
              </Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
