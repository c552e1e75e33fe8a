DROP INDEX idx_execution_list;
