"""What changed between deliveries: columns, questions, labels, codes; one finding for each change."""
