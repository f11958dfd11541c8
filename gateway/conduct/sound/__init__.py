"""What a job has to say or play: rendered ahead, spoken by the house, made here, or put on the job's one track."""
