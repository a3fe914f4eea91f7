"""From exports to a draft of study.yaml and sap.yaml: what columns probably are, and what a person has to decide."""
